"""What differs under a `ParameterServerStrategy`: shards, and workers that do not wait."""

from __future__ import annotations

import contextlib
from typing import Any, Callable

import tensorflow as tf

from tf_sampled_compat.core.tf import private

# The second name is that of TensorFlow 2.12.
_Strategy: Any = getattr(
    tf.distribute,
    "ParameterServerStrategy",
    getattr(tf.distribute.experimental, "ParameterServerStrategy", ()),
)


def is_current() -> bool:
    """Returns whether the code runs in a `ParameterServerStrategy`, in its scope or in `run`."""
    return tf.distribute.has_strategy() and isinstance(tf.distribute.get_strategy(), _Strategy)


def whole(neighbour: Any) -> contextlib.AbstractContextManager[Any]:
    """Returns a scope whose variables are not sharded, but whole and beside `neighbour`.

    Args:
      neighbour: A variable without a dimension, which no strategy shards.
    """
    if not is_current():
        return contextlib.nullcontext()
    return tf.distribute.get_strategy().extended.colocate_vars_with(neighbour)


def next_number(counter: tf.Variable) -> tuple[tf.Tensor, Callable[[], Any]]:
    """Returns the value of an int64 counter, and a function that adds 1 to it.

    On a parameter server both happen at once, because other workers count at the same time.
    """
    variable = private.unwrap_variable(counter)
    handle = variable.handle
    if private.is_on_parameter_server(variable):
        number = tf.raw_ops.ResourceCountUpTo(resource=handle, limit=tf.int64.max, T=tf.int64)
        return number, lambda: None
    one = tf.constant(1, tf.int64)
    return tf.identity(variable), lambda: tf.raw_ops.AssignAddVariableOp(resource=handle, value=one)
