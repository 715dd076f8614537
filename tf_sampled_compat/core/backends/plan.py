"""Which rows a batch needs, and where each class stands among them, in TensorFlow's ops."""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.backends.accidental_hits import accidental_hits
from tf_sampled_compat.core.backends.interface import Plan
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of


def plan(
    labels: tf.Tensor, sampled: tf.Tensor, *, num_true: int, find_hits: bool, unique: bool
) -> Plan:
    """See `interface.Backend.plan`."""
    hits = accidental_hits(labels, sampled, num_true) if find_hits else None
    # The distinct ids have a shape that depends on values, which XLA cannot have.
    make = _unique_plan if unique and not private.in_xla_context() else _occurrence_plan
    return make(labels, sampled, num_true, hits)


def static_plan(
    labels: tf.Tensor, sampled: tf.Tensor, *, num_true: int, num_rows: Optional[int]
) -> Plan:
    """Lists each class once in a shape that depends on no values; the last one fills the list up.

    The list has a place for each occurrence, but no more than there are rows.

    Args:
      labels: `[B, T]` int64.
      sampled: `[N]` int64.
      num_true: T.
      num_rows: The number of rows of the table, or None if it is unknown. XLA clamps an id that is
        out of range.
    """
    occurrences = _occurrence_plan(labels, sampled, num_true, None)
    ids = occurrences.ids
    size = size_of(ids, 0)
    size = tf.size(ids) if size is None else size
    if num_rows is not None:
        ids = tf.clip_by_value(ids, 0, num_rows - 1)
        size = min(size, num_rows) if isinstance(size, int) else tf.minimum(size, num_rows)
    order = tf.argsort(ids)
    ordered = tf.gather(ids, order)
    is_new = tf.concat([[0], tf.cast(ordered[1:] != ordered[:-1], tf.int32)], axis=0)
    ranks = tf.cumsum(is_new)
    unique = tf.tensor_scatter_nd_update(
        tf.fill([size], tf.reduce_max(ids)), ranks[:, tf.newaxis], ordered
    )
    places = tf.scatter_nd(order[:, tf.newaxis], ranks, tf.shape(ids))
    return Plan(
        unique,
        tf.gather(places, occurrences.sampled_positions),
        tf.gather(places, occurrences.true_positions),
        None,
    )


def _unique_plan(
    labels: tf.Tensor, sampled: tf.Tensor, num_true: int, hits: Optional[tf.Tensor]
) -> Plan:
    """Lists each class once: the sampled ids, then the labels that were not sampled."""
    ids, positions = tf.unique(tf.concat([sampled, tf.reshape(labels, [-1])], axis=0))
    num_sampled = tf.size(sampled)
    sampled_positions = tf.ensure_shape(positions[:num_sampled], sampled.shape)
    true_positions = tf.reshape(positions[num_sampled:], [-1, num_true])
    return Plan(ids, sampled_positions, true_positions, hits)


def _occurrence_plan(
    labels: tf.Tensor, sampled: tf.Tensor, num_true: int, hits: Optional[tf.Tensor]
) -> Plan:
    """Lists every occurrence, as TensorFlow's losses do: the labels, then the candidates."""
    ids = tf.concat([tf.reshape(labels, [-1]), sampled], axis=0)
    num_labels = tf.size(labels)
    sampled_positions = tf.ensure_shape(tf.range(num_labels, tf.size(ids)), sampled.shape)
    true_positions = tf.reshape(tf.range(num_labels), [-1, num_true])
    return Plan(ids, sampled_positions, true_positions, hits)
