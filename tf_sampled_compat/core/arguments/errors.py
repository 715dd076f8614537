"""Errors about arguments. Each names the argument, what was expected, and what it got."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Optional

import tensorflow as tf

from tf_sampled_compat.core.tf import private


class ArgumentError(tf.errors.InvalidArgumentError, ValueError):
    """A bad argument, found while the call is traced or, in eager mode, while it runs.

    TensorFlow answers the same mistake with a `ValueError` while it traces and with an
    `InvalidArgumentError` when it runs; code that catches either catches this.
    """

    def __init__(
        self, node_def: Any, op: Any = None, message: Optional[str] = None, *_: Any
    ) -> None:
        """Takes InvalidArgumentError's arguments, or a message alone."""
        # The names stay: AutoGraph turns an error with another constructor into a StagingError.
        # Keras makes an error that occurs in a layer again, from a message alone, or with the code.
        if message is None:
            node_def, message = None, str(node_def)
        super().__init__(node_def, op, message)

    def __str__(self) -> str:
        """Returns the message alone, as there is no node to name."""
        return self.message


class ArgumentTypeError(ArgumentError, tf.errors.UnimplementedError, TypeError):
    """An argument of the wrong Python type or dtype.

    TensorFlow raises a `TypeError` for most of these, and an `UnimplementedError` for a cast.
    """


def fail(
    argument: str, expected: str, got: Any, error: type[ArgumentError] = ArgumentError
) -> NoReturn:
    """Raises an `ArgumentError` with the usual message."""
    raise error(None, None, f"{message(argument, expected)}, got {got}")


def message(argument: str, expected: str) -> str:
    """Returns the first part of every message. What the argument got follows it."""
    return f"{argument}: expected {expected}"


def require(condition: Any, argument: str, expected: str, got: Any) -> list[tf.Operation]:
    """Checks a condition on values: now if they are known, else when the graph runs.

    Returns:
      Assertions that must run before what relies on them; see `after`.
    """
    known = tf.get_static_value(condition)
    if known is not None:
        if not known:
            value = tf.get_static_value(got)
            fail(argument, expected, got if value is None else value)
        return []
    if private.in_xla_context():
        return []  # XLA compiles assertions to nothing.
    # The raw op. tf.debugging.Assert wraps it in a conditional: ten ops instead of one.
    data = [tf.constant(message(argument, expected) + ", got"), tf.convert_to_tensor(got)]
    return [tf.raw_ops.Assert(condition=condition, data=data)]


def nan_unless(condition: Callable[[], tf.Tensor], value: tf.Tensor) -> tf.Tensor:
    """Returns `value`; under XLA, which asserts nothing, NaN where a condition does not hold."""
    if not private.in_xla_context():
        return value
    return tf.where(condition(), value, tf.constant(float("nan"), value.dtype))


def after(assertions: Sequence[tf.Operation], tensor: tf.Tensor) -> tf.Tensor:
    """Returns `tensor`, which is computed only after the assertions hold."""
    if not assertions:
        return tensor
    with tf.control_dependencies(list(assertions)):
        return tf.identity(tensor)
