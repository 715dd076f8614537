"""`exclude_true`: leaves a row's true classes out of its negatives and adjusts the counts.

Source: Khrylchenko et al., "Correcting the LogQ Correction: Revisiting Sampled Softmax for
Large-Scale Retrieval" (2025), arXiv:2507.09331.
"""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.losses.draw import Drawn
from tf_sampled_compat.core.losses.prepare import Batch

# In the place of a masked label: no class, and not -1, which is no candidate.
NO_LABEL = -2


def log_growth(drawn: Drawn, gathered: Gathered) -> tf.Tensor:
    """Returns `[B]`: log(S' / (S - Σ E)), the growth of the other counts.

    S' of the S candidates are not true classes of the row; the expected number is
    S - Σ_true E(true). The negatives come from the other classes alone, so each has the count

        E'(c) = E(c) · S' / (S - Σ_true E(true))

    which for independent draws is S' · Q(c) / (1 - Σ_true Q(true)).
    """
    batch, values, dtype = drawn.batch, drawn.population, gathered.compute_dtype
    present = drawn.present(values.sampled_candidates)
    if present is None:
        size = tf.shape(values.sampled_candidates)[-1]
    else:
        size = tf.math.count_nonzero(present, axis=-1)
    size = tf.cast(size, dtype)
    left = size - tf.cast(_number_found(drawn, gathered), dtype)
    count = tf.cast(values.true_expected_count, dtype)
    count = tf.broadcast_to(count, tf.shape(batch.labels))
    count = tf.where(_first_occurrences(batch), count, tf.zeros_like(count))
    expected = size - tf.reduce_sum(count, axis=1)
    # No correction if no candidate is left, or if none was expected (up to rounding).
    usual = tf.logical_and(left > 0, expected > 1e-6 * size)
    one = tf.ones_like(left)
    ratio = tf.where(usual, left, one) / tf.where(usual, expected, one)
    return tf.stop_gradient(tf.math.log(ratio))


def _number_found(drawn: Drawn, gathered: Gathered) -> tf.Tensor:
    """Returns `[B]`: how many candidates of the population are true classes of the row."""
    hits, excluded = gathered.hits, gathered.excluded
    if drawn.candidates.sampled_candidates.shape.rank == 2:
        assert excluded is not None
        return tf.math.count_nonzero(excluded, axis=1)
    if hits is None or drawn.population is not drawn.candidates:
        labels = drawn.batch.labels_or(NO_LABEL)
        hits, excluded = drawn.backend.every_copy(labels, drawn.population.sampled_candidates)
    if hits is None:
        return tf.math.count_nonzero(excluded, axis=1)
    ones, size = tf.ones_like(hits[:, 0]), tf.shape(drawn.batch.inputs)[0]
    return tf.math.unsorted_segment_sum(ones, hits[:, 0], size)


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
