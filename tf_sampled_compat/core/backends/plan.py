"""Lists the rows that a batch needs, the position of each class, and the accidental hits."""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Plan
from tf_sampled_compat.core.tf import private


def unique_plan(
    labels: tf.Tensor, sampled: tf.Tensor, num_true: int, hits: Optional[tf.Tensor]
) -> Plan:
    """Lists each class once: the sampled ids, then the labels that were not sampled."""
    ids, positions = tf.unique(tf.concat([sampled, tf.reshape(labels, [-1])], axis=0))
    num_sampled = tf.size(sampled)
    sampled_positions = tf.ensure_shape(positions[:num_sampled], sampled.shape)
    true_positions = tf.reshape(positions[num_sampled:], [-1, num_true])
    return Plan(ids, sampled_positions, true_positions, hits)


def occurrence_plan(
    labels: tf.Tensor, sampled: tf.Tensor, num_true: int, hits: Optional[tf.Tensor]
) -> Plan:
    """Lists every occurrence, as TensorFlow's losses do: the labels, then the candidates."""
    ids = tf.concat([tf.reshape(labels, [-1]), sampled], axis=0)
    num_labels = tf.size(labels)
    sampled_positions = tf.ensure_shape(tf.range(num_labels, tf.size(ids)), sampled.shape)
    true_positions = tf.reshape(tf.range(num_labels), [-1, num_true])
    return Plan(ids, sampled_positions, true_positions, hits)


def accidental_hits(labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
    """Returns `[H, 2]` (row, column) pairs of the candidates that are a label of the row."""
    if private.in_xla_context():
        return _static_hits(labels, sampled, num_true)
    rows, columns, _ = tf.nn.compute_accidental_hits(labels, sampled, num_true)
    return tf.stack([rows, tf.cast(columns, tf.int32)], axis=1)


def _static_hits(labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
    """Does the same under XLA: a pair for each label, with column S if it was not sampled."""
    # TensorFlow's op takes a seed. Taking one here too keeps later draws unchanged.
    tf.compat.v1.get_seed(None)
    size = tf.size(sampled)
    flat = tf.reshape(labels, [-1, 1])
    columns = tf.reduce_max(tf.where(tf.equal(flat, sampled), tf.range(size), -1), axis=1)
    rows = tf.range(tf.size(labels)) // num_true
    return tf.stack([rows, tf.where(columns >= 0, columns, size)], axis=1)
