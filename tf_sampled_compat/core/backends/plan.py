"""Which rows a batch needs, where each class stands among them, and which negatives are hits."""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Plan
from tf_sampled_compat.core.tf import private


def plan(labels: tf.Tensor, sampled: tf.Tensor, num_true: int, find_hits: bool) -> Plan:
    """Plans one batch.

    Args:
      labels: `[B, T]` int64.
      sampled: `[S]` int64, repeated ids allowed.
      num_true: T.
      find_hits: Whether to find the accidental hits. As `tf.nn.compute_accidental_hits` has it,
        of the copies of a repeated sampled id only the last is one.
    """
    ids = tf.concat([sampled, tf.reshape(labels, [-1])], axis=0)
    if private.in_xla_context():
        # Unique ids have a shape that depends on values, so under XLA each occurrence has its row.
        positions = tf.range(tf.size(ids))
    else:
        ids, positions = tf.unique(ids)
    num_sampled = tf.size(sampled)
    sampled_positions = tf.ensure_shape(positions[:num_sampled], sampled.shape)
    true_positions = tf.reshape(positions[num_sampled:], [-1, num_true])
    hits = accidental_hits(labels, sampled, num_true) if find_hits else None
    return Plan(ids, sampled_positions, true_positions, hits)


def accidental_hits(labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
    """`[H, 2]` (row, column) pairs of the candidates that are a label of the row."""
    if private.in_xla_context():
        return _static_hits(labels, sampled, num_true)
    rows, columns, _ = tf.nn.compute_accidental_hits(labels, sampled, num_true)
    return tf.stack([rows, tf.cast(columns, tf.int32)], axis=1)


def _static_hits(labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
    """The same in XLA's terms: a pair for each label, in column S where it was not sampled."""
    # TensorFlow's op takes a seed. Taking it here too keeps the draws that follow where they were.
    tf.compat.v1.get_seed(None)
    size = tf.size(sampled)
    flat = tf.reshape(labels, [-1, 1])
    columns = tf.reduce_max(tf.where(tf.equal(flat, sampled), tf.range(size), -1), axis=1)
    rows = tf.range(tf.size(labels)) // num_true
    return tf.stack([rows, tf.where(columns >= 0, columns, size)], axis=1)
