"""Rows of a table: sums the duplicates of a sparse gradient, and reads and writes rows.

Reading a variable after a sparse update copies all of it. So rows are gathered from the variable
itself, by a `ResourceGather`, and written by a scatter.
"""

from __future__ import annotations

from typing import Any

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


def totals(gradient: tf.IndexedSlices) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns ids and the total gradient of each, in float32 or better.

    Where shapes must be static, an id may occur more than once, each time with the same total. Its
    row is then written more than once, with the same numbers.
    """
    if shapes_are_static():
        ids, sums, _ = _sums(gradient)
        return ids, sums
    gradient = unique(gradient)
    return gradient.indices, _exact(gradient.values)


def gather(variable: Any, ids: tf.Tensor) -> tf.Tensor:
    """Returns rows of a variable, in float32 or better."""
    return _exact(tf.gather(private.unwrap_variable(variable), ids))


def update(variable: Any, ids: tf.Tensor, rows: tf.Tensor, *, use_locking: bool = False) -> Any:
    """Writes rows of a variable, rounded to its dtype, and returns the op that writes."""
    variable = private.unwrap_variable(variable)
    rows = tf.cast(rows, variable.dtype.base_dtype)
    if not hasattr(variable, "handle"):
        return tf.compat.v1.scatter_update(variable, ids, rows, use_locking=use_locking)
    # The variable's own method would add an op that reads all of it (though it never runs).
    return tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=ids, updates=rows)


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
