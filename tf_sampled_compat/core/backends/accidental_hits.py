"""Which candidates are a true class of the row, in TensorFlow's ops.

The C++ op finds the same pairs in `custom_ops/kernels/plan.cc`.
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import static_size_of


def accidental_hits(labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
    """`[H, 2]` (row, column) pairs of the candidates that are a label of the row."""
    if private.in_xla_context():
        return _static_hits(labels, sampled, num_true)
    rows, columns, _ = tensorflows(labels, sampled, num_true)
    return tf.stack([rows, tf.cast(columns, tf.int32)], axis=1)


def tensorflows(
    labels: tf.Tensor,
    sampled: tf.Tensor,
    num_true: int,
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Does what `tf.nn.compute_accidental_hits` does, but eager calls leave no memory behind.

    In eager mode TensorFlow keeps a kernel for each value of an op's attributes, and this op has
    the seed as an attribute, which does not change its results.
    """
    if not tf.executing_eagerly():
        return tf.nn.compute_accidental_hits(labels, sampled, num_true, seed=seed, name=name)
    tf.compat.v1.get_seed(seed)  # As in `_static_hits`.
    return tf.raw_ops.ComputeAccidentalHits(
        true_classes=labels, sampled_candidates=sampled, num_true=num_true, name=name
    )


def of_each_row(labels: tf.Tensor, sampled: tf.Tensor, *, every_copy: bool) -> tf.Tensor:
    """Finds the hits where each row has candidates of its own.

    Args:
      labels: `[B, T]`.
      sampled: `[B, S]`.
      every_copy: Whether all copies of a label are hits, or only the last one in the row.

    Returns:
      `[B, S]` booleans.
    """
    found = tf.zeros_like(sampled, tf.bool)
    places = tf.range(tf.shape(sampled)[1])
    for column in range(static_size_of(labels, 1)):
        equal = tf.equal(sampled, labels[:, column : column + 1])
        if not every_copy:
            last = tf.reduce_max(tf.where(equal, places, -1), axis=1, keepdims=True)
            equal = tf.equal(places, last)
        found = tf.logical_or(found, equal)
    return found


def _static_hits(labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
    """The same in XLA's terms: a pair for each label, in column S where it was not sampled."""
    # TensorFlow's op takes a seed. Taking it here too keeps the draws that follow where they were.
    tf.compat.v1.get_seed(None)
    size = tf.size(sampled)
    flat = tf.reshape(labels, [-1, 1])
    columns = tf.reduce_max(tf.where(tf.equal(flat, sampled), tf.range(size), -1), axis=1)
    rows = tf.range(tf.size(labels)) // num_true
    return tf.stack([rows, tf.where(columns >= 0, columns, size)], axis=1)
