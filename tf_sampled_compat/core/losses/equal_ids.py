"""Which candidates have the id of a row: every copy, unlike `compute_accidental_hits`."""

from __future__ import annotations

import tensorflow as tf


def pairs(wanted: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Returns the `[H, 2]` int32 pairs (row, column) with wanted[row] == ids[column], sorted.

    It sorts the ids instead of comparing all: O((B + N) log N + H).

    Args:
      wanted: `[B]` int64.
      ids: `[N]` int64, which may repeat.
    """
    order = tf.argsort(ids, stable=True)  # So the columns of a row ascend.
    ordered = tf.gather(ids, order)
    first = tf.searchsorted(ordered, wanted, side="left")
    count = tf.searchsorted(ordered, wanted, side="right") - first
    ends = tf.cumsum(count)
    # `tf.repeat` would make a [B, largest count] matrix.
    numbers = tf.range(tf.reduce_sum(count))
    rows = tf.searchsorted(ends, numbers, side="right")
    number_in_row = numbers - tf.gather(ends - count, rows)
    columns = tf.gather(order, tf.gather(first, rows) + number_in_row)
    return tf.stack([rows, columns], axis=1)


def matrix(wanted: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Returns the same as `[B, N]` booleans, whose shape depends on no values, as XLA needs."""
    return tf.equal(wanted[:, tf.newaxis], ids)
