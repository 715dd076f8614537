"""Chooses the backend for a call, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.backends import explanation, library, setting
from tf_sampled_compat.core.backends.cpp_op import FUSED
from tf_sampled_compat.core.backends.interface import Backend
from tf_sampled_compat.core.backends.tensorflow_ops import COMPOSITE
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

BACKENDS: dict[str, Backend] = {"fused": FUSED, "composite": COMPOSITE}
FUSED_DTYPES = ("float32", "float64", "float16", "bfloat16")


class Call(NamedTuple):
    """The properties of a call that the choice depends on.

    Attributes:
      compiled: Whether XLA will compile it.
      devices: The device types of the table's pieces: "CPU", "GPU", …
      dtypes: The names of the dtypes of inputs and weights.
      counts_by_row: Whether the candidates' expected counts differ from row to row.
      remote: Whether a piece of the table is on a parameter server.
      vectorized: Whether `tf.vectorized_map` will vectorize it.
      portable: Whether the graph is exported, or may be, to load where the C++ op is not.
    """

    compiled: bool = False
    devices: frozenset[str] = frozenset({"CPU"})
    dtypes: frozenset[str] = frozenset({"float32"})
    counts_by_row: bool = False
    remote: bool = False
    vectorized: bool = False
    portable: bool = False


def describe(
    *,
    inputs: tf.Tensor,
    weights: Sequence[Any],
    biases: Sequence[Any],
    sampled_expected_count: Optional[tf.Tensor] = None,
) -> Call:
    """Describes a call.

    Args:
      inputs: The activations.
      weights: The pieces of the weights' table.
      biases: The pieces of the biases' table.
      sampled_expected_count: The caller's, if it gave candidates.
    """
    pieces = [*weights, *biases]
    return Call(
        compiled=private.in_xla_context(),
        devices=frozenset(map(private.device_type, pieces)),
        dtypes=frozenset(t.dtype.base_dtype.name for t in (inputs, weights[0])),
        counts_by_row=_differs_by_row(sampled_expected_count),
        remote=any(map(private.is_on_parameter_server, pieces)),
        vectorized=private.in_vectorized_map(),
        portable=private.is_exported(),
    )


def obstacle(call: Call) -> Optional[str]:
    """Returns why a call cannot use the C++ op, even if it is available, or None if it can."""
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
    return None


def doubt(call: Call) -> Optional[str]:
    """Returns why a call that can use the C++ op does so only on request, or None."""
    if call.remote:
        return "other processes take part, and only those that called tsc.load_ops() have the op"
    if call.vectorized:
        return "tf.vectorized_map could only loop over the C++ op"
    if call.portable:
        return "the graph is or may be exported, and only TensorFlow's ops load everywhere"
    return None


def path(call: Call) -> tuple[str, Optional[str]]:
    """Returns the backend of a call that names none, and the reason if it is the composite."""
    reason = obstacle(call) or doubt(call) or library.missing()
    return ("composite" if reason else "fused"), reason


def choose(requested: Optional[str], call: Call, function: str) -> Backend:
    """Returns the backend that computes a call.

    Args:
      requested: "fused", "composite" or None. None means the choice of `tsc.implementation`, then
        of the environment, then the best backend. Only the last falls back.
      call: The properties of the call.
      function: The public function's name, for `tsc.explain`.

    Raises:
      ValueError: If the name is unknown.
      RuntimeError: If "fused" was requested but cannot compute the call. The message says why.
    """
    name, asked_by = setting.requested(requested)
    if name is None:
        name, reason = path(call)
        explanation.note(function, name, reason or "the C++ op supports this call")
        return BACKENDS[name]
    if name == "fused":
        reason = obstacle(call) or library.why_not()
        if reason:
            raise RuntimeError(f"implementation='fused' was asked for, but {reason}")
    explanation.note(function, name, f"{asked_by} asks for it")
    return BACKENDS[name]


def _differs_by_row(count: Optional[tf.Tensor]) -> bool:
    if count is None:
        return False
    return count.shape.rank is None or (count.shape.rank == 2 and size_of(count, 0) != 1)
