"""How a bad argument is told: the argument, what was expected, what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import tensorflow as tf

from tf_sampled_compat.core.tf import private


class ArgumentError(tf.errors.InvalidArgumentError, ValueError):
    """A bad argument, found while the call is traced or, in eager mode, while it runs.

    TensorFlow answers the same mistake with a `ValueError` while it traces and with an
    `InvalidArgumentError` when it runs; code that catches either catches this.
    """

    # The constructor is InvalidArgumentError's, (node_def, op, message): of an error that has any
    # other, met inside a `tf.function`, AutoGraph makes a StagingError.

    def __str__(self) -> str:
        """Returns the message alone: there is no node to name."""
        return self.message


class ArgumentTypeError(ArgumentError, tf.errors.UnimplementedError, TypeError):
    """An argument of the wrong Python type or dtype.

    TensorFlow has a `TypeError` for most of these, and says `UnimplementedError` to a cast.
    """


def fail(
    argument: str, expected: str, got: Any, error: type[ArgumentError] = ArgumentError
) -> NoReturn:
    """Raises an `ArgumentError` of the common form."""
    raise error(None, None, f"{message(argument, expected)}, got {got}")


def message(argument: str, expected: str) -> str:
    """Returns how every message begins; what came follows it."""
    return f"{argument}: expected {expected}"


def require(condition: Any, argument: str, expected: str, got: Any) -> list[tf.Operation]:
    """Checks a condition on values: at once where they are known, else when the graph runs.

    Returns:
      The assertions to put before what relies on them; see `after`.
    """
    known = tf.get_static_value(condition)
    if known is not None:
        if not known:
            value = tf.get_static_value(got)
            fail(argument, expected, got if value is None else value)
        return []
    if private.in_xla_context():
        return []  # XLA compiles assertions to nothing.
    # The op itself: tf.debugging.Assert puts a conditional around it, ten ops for one.
    data = [tf.constant(message(argument, expected) + ", got"), tf.convert_to_tensor(got)]
    return [tf.raw_ops.Assert(condition=condition, data=data)]


def after(assertions: Sequence[tf.Operation], tensor: tf.Tensor) -> tf.Tensor:
    """Returns `tensor`, to be had only once the assertions hold."""
    if not assertions:
        return tensor
    with tf.control_dependencies(list(assertions)):
        return tf.identity(tensor)
