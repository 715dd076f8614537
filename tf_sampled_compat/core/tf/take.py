"""Gathers rows with a gradient that suits few rows."""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.tf.shapes import size_of


def take(rows: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Gathers rows, with a dense gradient: `[U, ...]` is small, and the table's lookup needs it.

    (`tf.gather`'s gradient is an `IndexedSlices` of unknown size. TensorFlow warns when it makes
    one dense.)
    """
    shape = tf.concat([tf.shape(positions), tf.shape(rows)[1:]], axis=0)
    if rows.shape.rank == 2 and size_of(rows, 1) == 0:
        taken = tf.broadcast_to(tf.reduce_sum(rows, axis=0), shape)  # gather_nd refuses dim = 0.
    else:
        taken = tf.reshape(tf.gather_nd(rows, tf.reshape(positions, [1, -1, 1])), shape)
    known = positions.shape.concatenate(rows.shape[1:])
    return taken if known.rank is None else tf.ensure_shape(taken, known)
