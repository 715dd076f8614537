"""`exclude_true`: leaves a row's true classes out of its negatives and adjusts the counts.

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
    labels = batch.labels_or(-2)  # -1 is no candidate.
    found = tf.equal(labels[:, :1], sampled)
    for column in range(1, batch.num_true):
        found = tf.logical_or(found, tf.equal(labels[:, column : column + 1], sampled))
    return found


def recounted(gathered: Gathered, drawn: Drawn, kind: LossKind) -> Gathered:
    """Adjusts the expected counts to negatives without the row's true classes."""
    growth = _log_growth(drawn, gathered.compute_dtype)
    gathered = gathered._replace(sampled_offset=gathered.sampled_offset - growth)
    if kind == "sigmoid":
        # NCE compares a class with the noise, which still contains true classes as often.
        return gathered
    # A true class is always in the sum, so its expected count is 1. NaN stays NaN.
    return gathered._replace(true_offset=gathered.true_offset * 0)


def _log_growth(drawn: Drawn, dtype: tf.DType) -> tf.Tensor:
    """Returns `[B, 1]`: log(S' / (S - Σ E)), the growth of the other counts.

    S' of the S candidates are not true classes of the row; the expected number is
    S - Σ_true E(true). The negatives come from the other classes alone, so each has the count

        E'(c) = E(c) · S' / (S - Σ_true E(true))

    which for independent draws is S' · Q(c) / (1 - Σ_true Q(true)).
    """
    batch, values = drawn.batch, drawn.population
    present = drawn.present(values.sampled_candidates)
    size = tf.size(values.sampled_candidates) if present is None else tf.math.count_nonzero(present)
    size = tf.cast(size, dtype)
    found = true_among(batch, values.sampled_candidates)
    left = size - tf.reduce_sum(tf.cast(found, dtype), axis=1, keepdims=True)
    count = tf.cast(values.true_expected_count, dtype)
    count = tf.broadcast_to(count, tf.shape(batch.labels))
    count = tf.where(_first_occurrences(batch), count, tf.zeros_like(count))
    expected = size - tf.reduce_sum(count, axis=1, keepdims=True)
    # No correction if no candidate is left, or if none was expected (up to rounding).
    usual = tf.logical_and(left > 0, expected > 1e-6 * size)
    one = tf.ones_like(left)
    ratio = tf.where(usual, left, one) / tf.where(usual, expected, one)
    return tf.stop_gradient(tf.math.log(ratio))


def _first_occurrences(batch: Batch) -> tf.Tensor:
    """Returns `[B, T]`: whether a label is a true class and in no earlier column of its row."""
    labels, mask = batch.labels, batch.true_mask
    there = tf.ones_like(labels, tf.bool) if mask is None else mask
    columns = [there[:, :1]]
    for column in range(1, batch.num_true):
        before = tf.equal(labels[:, :column], labels[:, column : column + 1])
        again = tf.reduce_any(tf.logical_and(before, there[:, :column]), axis=1, keepdims=True)
        columns.append(tf.logical_and(there[:, column : column + 1], tf.logical_not(again)))
    return tf.concat(columns, axis=1)
