"""Rows of a table: a sparse gradient with its duplicates summed, and how rows are read and written.

Reading a variable that has had a sparse update copies all of it. So rows are gathered from the
variable itself, which makes it a `ResourceGather`, and written by a scatter.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.tf import private


class Rows(tf.IndexedSlices):
    """A gradient whose values are those of the dense one: each id's sum is there once.

    Where shapes must be static an id may come again with zeros. So a norm of `values` is the norm
    of the dense gradient, and it stays an `IndexedSlices` like any other.
    """

    def with_values(self, values: tf.Tensor) -> Rows:
        """Returns other values for the same ids."""
        return Rows(values, self.indices, self.dense_shape)

    def __truediv__(self, divisor: Any) -> Rows:
        return self.with_values(self.values / tf.cast(divisor, self.values.dtype))


def is_sparse(gradient: Any) -> bool:
    """Whether a gradient names the rows that occur."""
    return isinstance(gradient, tf.IndexedSlices)


def unique(gradient: Any) -> Any:
    """Returns an `IndexedSlices` as `Rows`, and any other gradient as it is."""
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
    """Returns ids and each one's total gradient, in float32 or better.

    Where shapes must be static an id may come more than once, then with the same total each time:
    to compute its row and write it twice writes the same numbers.
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
    """Writes rows of a variable, rounded to its dtype; returns the op that does."""
    variable = private.unwrap_variable(variable)
    rows = tf.cast(rows, variable.dtype.base_dtype)
    if not hasattr(variable, "handle"):
        return tf.compat.v1.scatter_update(variable, ids, rows, use_locking=use_locking)
    # The variable's own method would add an op, if one that does not run, that reads all of it.
    return tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=ids, updates=rows)


def _exact(values: tf.Tensor) -> tf.Tensor:
    return tf.cast(values, tf.float32) if values.dtype.size < 4 else values


def shapes_are_static() -> bool:
    """Whether the number of rows may not depend on the ids: for XLA, and to reduce over replicas.

    A collective op holds on to the shape it saw first.
    """
    return private.in_xla_context() or tf.distribute.has_strategy()


def _sums(gradient: tf.IndexedSlices) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns sorted ids, each one's total at each place, and whether a place is its id's first.

    `tf.unique` would give a shape that depends on the ids.
    """
    order = tf.argsort(gradient.indices, stable=True)
    ids = tf.gather(gradient.indices, order)
    first = tf.concat([tf.ones_like(ids[:1], tf.bool), ids[1:] != ids[:-1]], 0)
    segments = tf.cumsum(tf.cast(first, tf.int32)) - 1
    values = tf.gather(_exact(gradient.values), order)
    sums = tf.math.unsorted_segment_sum(values, segments, tf.size(ids))
    return ids, tf.gather(sums, segments), first
