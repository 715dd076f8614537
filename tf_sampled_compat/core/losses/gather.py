"""The third stage: each distinct class of the batch is looked up once."""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Gathered, Plan
from tf_sampled_compat.core.backends.plan import accidental_hits
from tf_sampled_compat.core.losses import exclusion, slices
from tf_sampled_compat.core.losses.description import SampledLoss
from tf_sampled_compat.core.losses.draw import Drawn
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.tables.lookup import lookup
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of, with_shape


def gather(loss: SampledLoss, drawn: Drawn) -> Gathered:
    """Lists the classes of the batch, finds the accidental hits, and looks the rows up."""
    backend, batch, values = drawn.backend, drawn.batch, drawn.candidates
    sampled = with_shape(values.sampled_candidates, [None])
    planned = _plan(loss, drawn, sampled)
    excluded = exclusion.true_among(batch, sampled) if loss.exclude_true else None
    dtype = batch.compute_dtype
    true_offset = backend.log_offset("true_expected_count", values.true_expected_count, dtype)
    gathered = Gathered(
        inputs=batch.inputs,
        rows=lookup(batch.weights, planned.ids),
        row_biases=tf.cast(lookup(batch.biases, planned.ids), dtype),
        sampled_positions=planned.sampled_positions,
        true_positions=planned.true_positions,
        hits=planned.hits,
        true_offset=_nan_out_of_range(batch, true_offset),
        sampled_offset=backend.log_offset(
            "sampled_expected_count", values.sampled_expected_count, dtype
        ),
        num_true=batch.num_true,
        compute_dtype=dtype,
        true_mask=batch.true_mask,
        excluded=excluded,
    )
    return exclusion.recounted(gathered, drawn, loss.kind) if loss.exclude_true else gathered


def _plan(loss: SampledLoss, drawn: Drawn, sampled: tf.Tensor) -> Plan:
    """Lists the classes to look up and the accidental hits."""
    backend, batch = drawn.backend, drawn.batch
    find_hits = loss.remove_accidental_hits and not loss.exclude_true
    unique = slices.chosen(loss.slices) == "unique"

    def plan(labels: tf.Tensor, find_hits: bool) -> Plan:
        return backend.plan(
            labels, sampled, num_true=batch.num_true, find_hits=find_hits, unique=unique
        )

    if batch.true_mask is not None:
        return _masked_plan(plan, batch, sampled, find_hits)
    labels = batch.labels_of_rows()
    if size_of(batch.labels, 0) != 1 or labels is batch.labels:
        return plan(labels, find_hits)
    # A single row of labels is looked up once, as in TensorFlow. The hits are those of all rows.
    planned = plan(batch.labels, False)
    hits = plan(labels, True).hits if find_hits else planned.hits
    return planned._replace(
        hits=hits, true_positions=tf.broadcast_to(planned.true_positions, tf.shape(labels))
    )


def _masked_plan(
    plan: Callable[[tf.Tensor, bool], Plan], batch: Batch, sampled: tf.Tensor, find_hits: bool
) -> Plan:
    """Plans labels with padding, which is looked up as a candidate and is never a hit."""
    labels = batch.labels
    if size_of(sampled, 0) != 0:
        labels = tf.where(batch.true_mask, labels, sampled[:1])  # A row that is looked up anyway.
    planned = plan(labels, False)
    if not find_hits:
        return planned
    labels = tf.where(batch.true_mask, batch.labels, -1)
    return planned._replace(hits=accidental_hits(labels, sampled, batch.num_true))


def _nan_out_of_range(batch: Batch, offset: tf.Tensor) -> tf.Tensor:
    """Makes the loss of a row NaN under XLA if one of its labels is out of range.

    XLA runs no assertions and clamps positions, so such a label would silently be the last class.
    """
    if not private.in_xla_context() or batch.weights.num_rows is None:
        return offset
    bad = tf.logical_or(batch.labels < 0, batch.labels >= batch.weights.num_rows)
    return tf.where(bad, tf.constant(float("nan"), batch.compute_dtype), offset)
