"""Rows of a table: sums the duplicates of a sparse gradient, and reads and changes rows.

Reading a variable after a sparse update copies all of it. So rows are gathered from the variable
itself, by a `ResourceGather`, and changed by a scatter.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.tf import private


class Rows(tf.IndexedSlices):
    """A sparse gradient that holds the sum of each id once.

    So the norm of `values` is the norm of the dense gradient. Where shapes must be static, an id
    may occur again, with zeros.
    """

    def with_values(self, values: tf.Tensor) -> Rows:
        """Returns a gradient of the same ids with other values."""
        return Rows(values, self.indices, self.dense_shape)

    def __truediv__(self, divisor: Any) -> Rows:
        return self.with_values(self.values / tf.cast(divisor, self.values.dtype))


def is_sparse(gradient: Any) -> bool:
    """Whether a gradient is an `IndexedSlices`."""
    return isinstance(gradient, tf.IndexedSlices)


def unique(gradient: Any) -> Any:
    """Returns an `IndexedSlices` as `Rows`, and any other gradient unchanged."""
    if not is_sparse(gradient) or isinstance(gradient, Rows):
        return gradient
    if shapes_are_static():
        ids, sums, first = _sums(gradient)
        first = tf.reshape(first, [-1] + [1] * (sums.shape.rank - 1))
        sums = tf.where(first, sums, tf.zeros_like(sums))
    else:
        ids, positions = tf.unique(gradient.indices)
        sums = tf.math.unsorted_segment_sum(_exact(gradient.values), positions, tf.size(ids))
    return Rows(tf.cast(sums, gradient.values.dtype), ids, gradient.dense_shape)


class Totals(NamedTuple):
    """The ids of a gradient and the total of each, in float32 or better.

    Where shapes must be static, an id may occur more than once, each time with the same total.

    Attributes:
      ids: `[n]`.
      values: `[n, ...]`.
      first: `[n]` booleans: whether this is the first place of its id; None if each id occurs once.
    """

    ids: tf.Tensor
    values: tf.Tensor
    first: Optional[tf.Tensor]


def totals(gradient: tf.IndexedSlices) -> Totals:
    """Returns the total of each id of a gradient."""
    if shapes_are_static():
        return Totals(*_sums(gradient))
    gradient = unique(gradient)
    return Totals(gradient.indices, _exact(gradient.values), None)


def gather(variable: Any, ids: tf.Tensor) -> tf.Tensor:
    """Returns rows of a variable, in float32 or better."""
    return _exact(tf.gather(private.unwrap_variable(variable), ids))


def change(
    variable: Any,
    ids: tf.Tensor,
    old: tf.Tensor,
    new: tf.Tensor,
    first: Optional[tf.Tensor] = None,
    *,
    use_locking: bool = False,
) -> Any:
    """Adds `new - old` to rows of a variable, and returns the op that does.

    Others may have changed the rows since `old` was read. What they added stays. Where there are no
    others, `new` is written, which takes a tenth of the time.

    Args:
      variable: Any variable.
      ids: `[n]`.
      old: `[n, ...]`: what `gather` returned for these ids.
      new: `[n, ...]`: what the rows become if nobody else changes them.
      first: See `Totals`. An id that occurs again adds nothing.
      use_locking: Whether a ref variable locks meanwhile. Others always do.
    """
    variable = private.unwrap_variable(variable)
    dtype = variable.dtype.base_dtype
    if not has_other_writers(variable):
        # The variable's own method would add an op that reads all of it (though it never runs).
        return tf.raw_ops.ResourceScatterUpdate(
            resource=variable.handle, indices=ids, updates=tf.cast(new, dtype)
        )
    difference = tf.cast(new - old, dtype)
    if first is not None:
        first = tf.reshape(first, [-1] + [1] * (difference.shape.rank - 1))
        difference = tf.where(first, difference, tf.zeros_like(difference))
    if not hasattr(variable, "handle"):
        return tf.compat.v1.scatter_add(variable, ids, difference, use_locking=use_locking)
    # A `ResourceScatterAdd` does not exclude another one: of two that meet, one can be lost.
    return tf.raw_ops.ResourceScatterNdAdd(
        ref=variable.handle, indices=tf.expand_dims(ids, 1), updates=difference
    )


def has_other_writers(variable: Any) -> bool:
    """Returns whether others may change a variable between a step's read and its write.

    They are the other workers of a parameter server, or the threads of a TensorFlow 1 session.
    """
    is_of_tensorflow_1 = not tf.compat.v1.executing_eagerly_outside_functions()
    return is_of_tensorflow_1 or private.is_on_parameter_server(variable)


def raise_to(variable: Any, ids: tf.Tensor, values: tf.Tensor) -> Any:
    """Makes rows of a variable at least as large as `values`, and returns the op that does."""
    variable = private.unwrap_variable(variable)
    values = tf.cast(values, variable.dtype.base_dtype)
    return tf.raw_ops.ResourceScatterMax(resource=variable.handle, indices=ids, updates=values)


def clear(variable: tf.Variable, ids: tf.Tensor) -> None:
    """Sets rows of a variable to zero, whatever is in them: the difference of infinities is NaN."""
    shape = tf.concat([tf.shape(ids), variable.shape[1:]], 0)
    zeros = tf.zeros(shape, variable.dtype)
    tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=ids, updates=zeros)


def _exact(values: tf.Tensor) -> tf.Tensor:
    return tf.cast(values, tf.float32) if values.dtype.size < 4 else values


def shapes_are_static() -> bool:
    """Whether the number of rows must not depend on the ids: under XLA or a strategy.

    A collective op keeps the first shape that it saw.
    """
    return private.in_xla_context() or tf.distribute.has_strategy()


def _sums(gradient: tf.IndexedSlices) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the sorted ids, the total of each, and whether this is the id's first place.

    The shape does not depend on the ids, as that of `tf.unique` would.
    """
    order = tf.argsort(gradient.indices, stable=True)
    ids = tf.gather(gradient.indices, order)
    first = tf.concat([tf.ones_like(ids[:1], tf.bool), ids[1:] != ids[:-1]], 0)
    segments = tf.cumsum(tf.cast(first, tf.int32)) - 1
    values = tf.gather(_exact(gradient.values), order)
    sums = tf.math.unsorted_segment_sum(values, segments, tf.size(ids))
    return ids, tf.gather(sums, segments), first
