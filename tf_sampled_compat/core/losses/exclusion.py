"""`exclude_true`: no true class of a row is a negative of it, and the counts say so.

Source: Khrylchenko et al., "Correcting the LogQ Correction: Revisiting Sampled Softmax for
Large-Scale Retrieval" (2025), arXiv:2507.09331.
"""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Gathered, LossKind
from tf_sampled_compat.core.losses.draw import Drawn
from tf_sampled_compat.core.losses.prepare import Batch


def true_among(batch: Batch, sampled: tf.Tensor) -> tf.Tensor:
    """`[B, S]`: which candidates are a true class of the row, every copy of one."""
    labels = batch.labels_or(-1)
    found = tf.equal(labels[:, :1], sampled)
    for column in range(1, batch.num_true):
        found = tf.logical_or(found, tf.equal(labels[:, column : column + 1], sampled))
    return found


def recounted(gathered: Gathered, drawn: Drawn, kind: LossKind) -> Gathered:
    """Corrects the expected counts, given that no true class of a row is a negative of it."""
    growth = _log_growth(drawn, gathered.compute_dtype)
    gathered = gathered._replace(sampled_offset=gathered.sampled_offset - growth)
    if kind == "sigmoid":
        # NCE tells a class from the noise, and a true class is noise as often as ever.
        return gathered
    # A true class is in the sum whatever is drawn: it is expected there once. NaN stays NaN.
    return gathered._replace(true_offset=gathered.true_offset * 0)


def _log_growth(drawn: Drawn, dtype: tf.DType) -> tf.Tensor:
    """`[B, 1]`: log(S' / (S - Σ E)): how much excluding true classes raises the other counts.

    S' of the S candidates are no true class of the row, and S - Σ_true E(true) were expected to be.
    The negatives come from the other classes alone, so each has the count

        E'(c) = E(c) · S' / (S - Σ_true E(true))

    which for independent draws is S' · Q(c) / (1 - Σ_true Q(true)).
    """
    batch, values = drawn.batch, drawn.population
    size = tf.cast(tf.size(values.sampled_candidates), dtype)
    found = true_among(batch, values.sampled_candidates)
    left = size - tf.reduce_sum(tf.cast(found, dtype), axis=1, keepdims=True)
    count = tf.cast(values.true_expected_count, dtype)
    count = tf.broadcast_to(count, tf.shape(batch.labels))
    count = tf.where(_first_occurrences(batch), count, tf.zeros_like(count))
    expected = size - tf.reduce_sum(count, axis=1, keepdims=True)
    # If nothing is left, or nothing but rounding was expected to be, there is nothing to correct.
    usual = tf.logical_and(left > 0, expected > 1e-6 * size)
    one = tf.ones_like(left)
    ratio = tf.where(usual, left, one) / tf.where(usual, expected, one)
    return tf.stop_gradient(tf.math.log(ratio))


def _first_occurrences(batch: Batch) -> tf.Tensor:
    """`[B, T]`: which labels are true classes that stand in no earlier column of their row."""
    labels, mask = batch.labels, batch.true_mask
    there = tf.ones_like(labels, tf.bool) if mask is None else mask
    columns = [there[:, :1]]
    for column in range(1, batch.num_true):
        before = tf.equal(labels[:, :column], labels[:, column : column + 1])
        again = tf.reduce_any(tf.logical_and(before, there[:, :column]), axis=1, keepdims=True)
        columns.append(tf.logical_and(there[:, column : column + 1], tf.logical_not(again)))
    return tf.concat(columns, axis=1)
