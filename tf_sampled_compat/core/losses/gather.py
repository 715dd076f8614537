"""The third stage: the classes of the batch are listed, and their rows looked up."""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Gathered, Plan
from tf_sampled_compat.core.losses import exclusion, own_candidates, slices
from tf_sampled_compat.core.losses.description import SampledLoss
from tf_sampled_compat.core.losses.draw import Drawn
from tf_sampled_compat.core.tf.shapes import size_of, with_shape


def gather(loss: SampledLoss, drawn: Drawn) -> Gathered:
    """Lists the classes of the batch, finds the accidental hits, and looks the rows up."""
    backend, batch, values = drawn.backend, drawn.batch, drawn.candidates
    sampled = values.sampled_candidates
    is_own = sampled.shape.rank == 2
    sampled = sampled if is_own else with_shape(sampled, [None])
    planned = own_candidates.plan(drawn, sampled) if is_own else _plan(loss, drawn, sampled)
    hits, excluded = planned.hits, None
    if is_own:
        excluded = own_candidates.excluded(loss, batch, sampled)
    elif loss.exclude_true:
        labels = batch.labels_or(exclusion.NO_LABEL)
        hits, excluded = backend.every_copy(labels, sampled)
    present = drawn.present(sampled)
    if present is not None:
        missing = tf.logical_not(present)
        there = tf.fill([tf.shape(batch.labels)[0], 1], False) if excluded is None else excluded
        excluded = tf.logical_or(there, missing)
    dtype = batch.compute_dtype
    true_offset = backend.log_offset("true_expected_count", values.true_expected_count, dtype)
    sampled_offset = backend.log_offset(
        "sampled_expected_count", values.sampled_expected_count, dtype
    )
    ids = sampled if present is None else tf.maximum(sampled, 0)  # -1 is no candidate.
    rows, row_biases = batch.rows(planned.ids), batch.row_biases(planned.ids)
    return Gathered(
        inputs=batch.inputs,
        rows=rows,
        row_biases=row_biases,
        sampled_positions=planned.sampled_positions,
        true_positions=planned.true_positions,
        hits=hits,
        true_offset=batch.nan_where_out_of_range(true_offset, batch.labels),
        sampled_offset=batch.nan_where_out_of_range(sampled_offset, ids),
        num_true=batch.num_true,
        compute_dtype=dtype,
        excluded=excluded,
        own_logits=own_candidates.logits(drawn, rows, row_biases, planned) if is_own else None,
    )


def _plan(loss: SampledLoss, drawn: Drawn, sampled: tf.Tensor) -> Plan:
    """Lists the classes to look up and the accidental hits."""
    backend, batch = drawn.backend, drawn.batch
    find_hits = loss.remove_accidental_hits and not loss.exclude_true
    unique = slices.chosen(loss.slices) == "unique"
    if batch.true_mask is not None:
        return _masked_plan(drawn, sampled, find_hits=find_hits, unique=unique)
    if not batch.has_one_label_row:
        return backend.plan(
            batch.labels_of_rows(),
            sampled,
            num_true=batch.num_true,
            find_hits=find_hits,
            unique=unique,
        )
    # The single row of labels is looked up once, as in TensorFlow. The hits are those of all rows.
    planned = backend.plan(
        batch.labels, sampled, num_true=batch.num_true, find_hits=False, unique=unique
    )
    labels = batch.labels_of_rows()
    positions = tf.broadcast_to(planned.true_positions, tf.shape(labels))
    planned = planned._replace(true_positions=positions)
    if not find_hits:
        return planned
    return planned._replace(hits=backend.hits(labels, sampled, batch.num_true))


def _masked_plan(drawn: Drawn, sampled: tf.Tensor, *, find_hits: bool, unique: bool) -> Plan:
    """Plans labels with padding, which is looked up as a candidate and is never a hit."""
    backend, batch = drawn.backend, drawn.batch
    labels, there = batch.labels, sampled
    if drawn.some_missing:
        # A class that is looked up anyway; class 0 only if there is no candidate at all.
        there = tf.where(sampled >= 0, sampled, tf.maximum(tf.reduce_max(sampled), 0))
    if size_of(sampled, 0) is None:
        # There may be no candidate. Then a row has no negatives, and class 0 is looked up.
        labels = tf.where(batch.true_mask, labels, tf.concat([there, [0]], axis=0)[:1])
    elif size_of(sampled, 0) != 0:
        labels = tf.where(batch.true_mask, labels, there[:1])  # It is looked up anyway.
    planned = backend.plan(labels, there, num_true=batch.num_true, find_hits=False, unique=unique)
    if not find_hits:
        return planned
    return planned._replace(
        hits=backend.hits(batch.labels_or(exclusion.NO_LABEL), sampled, batch.num_true)
    )
