"""Which implementation computes a loss."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core import composite, errors, fused, internals, library
from tf_sampled_compat.core.problem import Batch
from tf_sampled_compat.core.samplers import SampledValues
from tf_sampled_compat.core.shapes import size_of

ENVIRONMENT_VARIABLE = "TF_SAMPLED_COMPAT_IMPLEMENTATION"
NAMES = ("fused", "composite")
_MODULES = {"fused": fused, "composite": composite}
FUSED_DTYPES = ("float32", "float64", "float16", "bfloat16")

_default: contextvars.ContextVar[Optional[str]] = contextvars.ContextVar(
    "tf_sampled_compat_implementation", default=None
)


class Call(NamedTuple):
    """What the choice depends on.

    Attributes:
      compiled: Whether XLA will compile it.
      devices: The types of the devices that the table's pieces are placed on: "CPU", "GPU", …
      dtypes: The names of the dtypes of inputs and weights.
      counts_by_row: Whether the candidates' expected counts differ from row to row.
      remote: Whether a piece of the table is on a parameter server.
      vectorized: Whether `tf.vectorized_map` will vectorize it.
      corrected: Whether `padding_label` or `exclude_true` was given.
    """

    compiled: bool = False
    devices: frozenset[str] = frozenset({"CPU"})
    dtypes: frozenset[str] = frozenset({"float32"})
    counts_by_row: bool = False
    remote: bool = False
    vectorized: bool = False
    corrected: bool = False


def obstacle(call: Call) -> Optional[str]:
    """Returns why a call cannot take the C++ op, were it there, or None if it can."""
    if call.compiled:
        return "XLA compiles the call, and the C++ op is not an XLA op"
    elsewhere = sorted(call.devices - {"CPU"})
    if elsewhere:
        return f"the table is on a {elsewhere[0]}, and the C++ op runs on the CPU"
    unknown = sorted(call.dtypes - set(FUSED_DTYPES))
    if unknown:
        return f"the C++ op has no kernel for {unknown[0]}"
    if call.counts_by_row:
        return "sampled_expected_count differs from row to row"
    if call.corrected:
        return "padding_label and exclude_true give each row classes of its own"
    return None


def doubt(call: Call) -> Optional[str]:
    """Returns why a call that can take the C++ op takes it only if asked to, or None."""
    if call.remote:
        return "other processes take part, and only those that called tsc.load_ops() have the op"
    if call.vectorized:
        return "tf.vectorized_map could only loop over the C++ op"
    return None


def path(call: Call) -> tuple[str, Optional[str]]:
    """Returns the implementation of a call that names none, and why if it is the composite."""
    reason = obstacle(call) or doubt(call) or library.missing()
    return ("composite" if reason else "fused"), reason


def default() -> Optional[str]:
    """Returns what calls take that name no implementation: a name, or None if they choose."""
    set_by_hand = os.environ.get(ENVIRONMENT_VARIABLE) or None
    return _default.get() or _checked(ENVIRONMENT_VARIABLE, set_by_hand)


@contextlib.contextmanager
def implementation(name: Optional[str]) -> Iterator[None]:
    """Sets the implementation of the calls made (or traced) inside, unless they name one.

    Args:
      name: "fused" (the C++ op), "composite" (public TensorFlow ops), or None to choose.

    Raises:
      ValueError: For any other name.

    >>> with tsc.implementation("composite"):
    ...     loss = tsc.nn.nce_loss(weights, biases, labels, inputs, 5, 50)
    """
    token = _default.set(_checked("implementation", name))
    try:
        yield
    finally:
        _default.reset(token)


def choose(requested: Optional[str], batch: Batch, values: Optional[SampledValues]) -> ModuleType:
    """Returns the module whose losses to use: `fused` or `composite`.

    Args:
      requested: "fused", "composite" or None, which takes the default of `implementation`, of the
        environment, or the best one there is. Only the last falls back.
      batch: What to compute.
      values: Its candidates, or None if they will be drawn.

    Raises:
      ValueError: For an unknown name.
      RuntimeError: If "fused" was asked for, and why it cannot be had.
    """
    by_row = values is not None and _differs_by_row(values.sampled_expected_count)
    return _module(requested, _call(batch, by_row))


def choose_full(requested: Optional[str], batch: Batch) -> ModuleType:
    """The same for a loss or ranking over all classes."""
    # Padding among the true classes concerns no sum over all classes.
    return _module(requested, _call(batch._replace(true_mask=None), False))


def _module(requested: Optional[str], call: Call) -> ModuleType:
    name = _checked("implementation", requested) or default()
    if name == "fused":
        reason = obstacle(call) or library.why_not()
        if reason:
            raise RuntimeError(f"implementation='fused' was asked for, but {reason}")
    return _MODULES[name or path(call)[0]]


def _call(batch: Batch, counts_by_row: bool) -> Call:
    pieces = [*batch.weights.pieces, *batch.biases.pieces]
    return Call(
        compiled=internals.in_xla_context(),
        devices=frozenset(map(internals.device_type, pieces)),
        dtypes=frozenset(t.dtype.base_dtype.name for t in (batch.inputs, batch.weights.pieces[0])),
        counts_by_row=counts_by_row,
        remote=any(map(internals.is_on_parameter_server, pieces)),
        vectorized=internals.in_vectorized_map(),
        corrected=batch.true_mask is not None or batch.exclude_true,
    )


def _differs_by_row(count: tf.Tensor) -> bool:
    return count.shape.rank is None or (count.shape.rank == 2 and size_of(count, 0) != 1)


def _checked(argument: str, name: Optional[str]) -> Optional[str]:
    if name is not None and name not in NAMES:
        errors.fail(argument, "'fused', 'composite' or None", repr(name))
    return name
