"""The third stage: each distinct class of the batch is looked up once."""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.backends.plan import accidental_hits
from tf_sampled_compat.core.losses import exclusion
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
    labels, mask, excluded = batch.labels, batch.true_mask, None
    if mask is not None and size_of(sampled, 0) != 0:
        labels = tf.where(mask, labels, sampled[:1])  # A class that is looked up anyway.
    find_hits = loss.remove_accidental_hits and not loss.exclude_true
    planned = backend.plan(labels, sampled, batch.num_true, find_hits and mask is None)
    if loss.exclude_true:
        excluded = exclusion.true_among(batch, sampled)
    elif find_hits and mask is not None:  # No padding is a hit.
        labels = tf.where(mask, batch.labels, -1)
        planned = planned._replace(hits=accidental_hits(labels, sampled, batch.num_true))
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
        true_mask=mask,
        excluded=excluded,
    )
    return exclusion.recounted(gathered, drawn, loss.kind) if loss.exclude_true else gathered


def _nan_out_of_range(batch: Batch, offset: tf.Tensor) -> tf.Tensor:
    """Makes the loss of a row with a label out of range NaN under XLA, where nothing is asserted.

    XLA clamps positions, so that such a label would silently be the last class.
    """
    if not private.in_xla_context() or batch.weights.num_rows is None:
        return offset
    bad = tf.logical_or(batch.labels < 0, batch.labels >= batch.weights.num_rows)
    return tf.where(bad, tf.constant(float("nan"), batch.compute_dtype), offset)
