"""The findings of the doctor, as (name, fact) pairs of plain text."""

from __future__ import annotations

import functools
import os
import platform
from typing import Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.backends import choice, library, setting
from tf_sampled_compat.core.backends.choice import Call
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.doctor import packages, trial
from tf_sampled_compat.version import __version__

Facts = list[tuple[str, str]]


def versions() -> Facts:
    """Returns the versions of this package, of its dependencies and of Python."""
    return [
        ("tf_sampled_compat", __version__),
        ("TensorFlow", _tensorflow()),
        ("NumPy", np.__version__),
        ("keras", _keras()),
        ("tf_keras", packages.versions("tf_keras")),
        ("Python", platform.python_version()),
        ("platform", f"{platform.system()} {platform.machine()}"),
    ]


def op() -> Facts:
    """Returns where the op was loaded from and how it runs, or why it is missing."""
    reason = library.why_not()
    if reason is not None:
        return [("state", "not available"), ("why", reason)]
    loaded = library.load()
    best = library.best_instruction_set(library.cpu_flags())
    return [
        ("state", "loaded"),
        ("binary", str(loaded.path)),
        ("instruction set", f"{loaded.instruction_set} (the best for this CPU: {best})"),
        ("threads", f"{loaded.threads} ({_setting_of_threads()})"),
        ("interface", str(library.INTERFACE_VERSION)),
        ("trial", _trial() or "a loss and its gradients equal the composite's in every dtype"),
    ]


def paths() -> Facts:
    """Returns the implementation of each kind of call, and the reason where it is not the op."""
    placed = private.device_type(None)
    calls = {
        "float32": Call(),
        "float64": Call(dtypes=frozenset({"float64"})),
        "float16": Call(dtypes=frozenset({"float16"})),
        "bfloat16": Call(dtypes=frozenset({"bfloat16"})),
        "float16 inputs, float32 table": Call(dtypes=frozenset({"float16", "float32"})),
        "another dtype, as float8_e5m2": Call(dtypes=frozenset({"float8_e5m2"})),
        f"a table placed by TensorFlow: {placed}": Call(devices=frozenset({placed})),
        "a table on a CPU": Call(devices=frozenset({"CPU"})),
        "a table on a GPU": Call(devices=frozenset({"GPU"})),
        "a table on a TPU": Call(devices=frozenset({"TPU"})),
        "a table on parameter servers": Call(remote=True),
        "XLA (jit_compile=True)": Call(compiled=True),
        "inside tf.vectorized_map": Call(vectorized=True),
        "sampled_expected_count of shape [batch, num_sampled]": Call(counts_by_row=True),
    }
    return [(kind, _path(call)) for kind, call in calls.items()]


def op_is_due() -> bool:
    """Returns whether the op should work here."""
    return library.promised() and library.supported()


def troubles() -> list[str]:
    """Returns what should work here and does not: an empty list if all is well."""
    found = []
    try:
        setting.default()
    except ValueError as error:
        found.append(str(error))
    reason = library.why_not()
    if reason is None:
        reason = _trial()
    if reason is not None and op_is_due():
        found.append(reason)
    return found


def _path(call: Call) -> str:
    try:
        name = setting.default()
    except ValueError:
        return "an error, see below"
    if name is None:
        name, reason = choice.path(call)
        return name if reason is None else f"{name}: {_in_short(reason)}"
    if name == "fused" and (reason := choice.obstacle(call) or library.why_not()):
        return f"an error: {_in_short(reason)}"
    return f"{name}: {setting.ENVIRONMENT_VARIABLE} says so"


def _in_short(reason: str) -> str:
    return "the op is not available" if reason == library.why_not() else reason


def _tensorflow() -> str:
    others = [name for name in packages.installed("tensorflow") if name != "tensorflow"]
    return f"{tf.__version__} ({', '.join(others)})" if others else tf.__version__


def _keras() -> str:
    installed = packages.versions("keras")
    if installed == "not installed" or installed.startswith("2."):
        return installed
    backend = os.environ.get("KERAS_BACKEND") or "as in its configuration"
    return f"{installed} (backend: {backend})"


def _setting_of_threads() -> str:
    if tf.config.threading.get_intra_op_parallelism_threads():
        return "tf.config.threading"
    if os.environ.get("TF_NUM_INTRAOP_THREADS"):
        return "TF_NUM_INTRAOP_THREADS"
    return "the CPUs there are"


@functools.cache
def _trial() -> Optional[str]:
    return trial.difference()


def forget_the_trial() -> None:
    """Makes the next report try the op anew; within one report the trial is made once."""
    _trial.cache_clear()
