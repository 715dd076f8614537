"""Candidates `[B, S]`: each row has its own, as a data set of hard or mined negatives has.

The classes are listed once, so that a table's gradient has an entry for each class, and not the
B · S of an entry for each occurrence. `Backend.row_logits` computes the `[B, S]` logits.
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.backends import accidental_hits
from tf_sampled_compat.core.backends.interface import Plan
from tf_sampled_compat.core.backends.plan import static_plan
from tf_sampled_compat.core.backends.tensorflow_ops import with_floor
from tf_sampled_compat.core.losses import exclusion
from tf_sampled_compat.core.losses.description import SampledLoss
from tf_sampled_compat.core.losses.draw import Drawn
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of


def plan(drawn: Drawn, sampled: tf.Tensor) -> Plan:
    """Lists the classes of a batch, whose candidates are `[B, S]`, each class once."""
    batch, labels = drawn.batch, drawn.batch.labels_of_rows()
    if batch.true_mask is not None and size_of(sampled, 1) != 0:
        # A masked label is 0. A candidate of the row is looked up anyway; 0 if there is none.
        some = tf.concat([sampled, tf.zeros_like(labels)], axis=1)[:, :1]
        labels = tf.where(batch.true_mask, labels, some)
    flat = tf.reshape(sampled, [-1])
    if private.in_xla_context():
        num_rows, _ = checks.class_id_limit(batch.weights.num_rows, batch.biases.num_rows)
        planned = static_plan(labels, flat, num_true=batch.num_true, num_rows=num_rows)
    else:
        planned = drawn.backend.plan(
            labels, flat, num_true=batch.num_true, find_hits=False, unique=True
        )
    positions = tf.reshape(planned.sampled_positions, tf.shape(sampled))
    positions = tf.ensure_shape(positions, sampled.shape)
    return planned._replace(sampled_positions=positions, hits=None)


def excluded(loss: SampledLoss, batch: Batch, sampled: tf.Tensor) -> Optional[tf.Tensor]:
    """Returns `[B, S]`: whether a candidate is to be left out; None if none is.

    As among shared candidates, an accidental hit is the last copy of a true class.
    """
    if not (loss.remove_accidental_hits or loss.exclude_true):
        return None
    labels = batch.labels_or(exclusion.NO_LABEL)
    return accidental_hits.of_each_row(labels, sampled, every_copy=loss.exclude_true)


def logits(
    drawn: Drawn, rows: tf.Tensor, row_biases: tf.Tensor, planned: Plan
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `own_logits` of a `Gathered`."""
    # One call, as each makes a gradient of all rows.
    positions = tf.concat([planned.true_positions, planned.sampled_positions], axis=1)
    both = drawn.backend.row_logits(drawn.batch.inputs, rows, row_biases, positions)
    num_true = drawn.batch.num_true
    return both[:, :num_true], with_floor(both[:, num_true:])
