"""Draws from several samplers, one of which may be the labels of the batch, and learns the labels.

Source: Yang et al., "Mixed Negative Sampling for Learning Two-tower Neural Networks in
Recommendations" (2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.conversion import booleans
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.samplers.frequencies import Frequencies
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of


class _Draw(NamedTuple):
    """What one sampler contributes.

    Attributes:
      sampled: `[size]` candidates; -1 where there is none.
      size: How many there are: an integer, or a float64 scalar that only the running graph knows.
    """

    sampled: tf.Tensor
    size: Any


def draw_and_learn(
    samplers: Sequence[Any],
    true_classes: TensorLike,
    num_true: int,
    sizes: Sequence[int],
    range_max: int,
    seed: Any,
    mask: Optional[TensorLike],
) -> SampledValues:
    """Draws from each sampler, then lets each that learns learn the labels once.

    Args:
      samplers: The samplers.
      true_classes: `[B, T]` labels.
      num_true: T.
      sizes: The number of candidates from each sampler; the most, for labels of the batch.
      range_max: The number of classes.
      seed: The operation's seed.
      mask: `[B, T]`: False for padding, or None.
    """
    num_true = checks.known_size("num_true", num_true)
    checks.known_size("range_max", range_max)
    classes = as_class_ids(true_classes, "true_classes")
    classes = tf.reshape(
        errors.after(checks.in_rows_of(classes, num_true), classes), [-1, num_true]
    )
    if mask is None:
        return _draw_and_learn(samplers, classes, sizes, range_max, seed, None)
    mask = tf.reshape(booleans("mask", mask), [-1, num_true])
    if private.in_xla_context():
        return _draw_and_learn(samplers, classes, sizes, range_max, seed, mask)
    there = tf.where(mask)
    true = tf.gather_nd(classes, there)[:, tf.newaxis]
    values = _draw_and_learn(samplers, true, sizes, range_max, seed, None)
    count = tf.reshape(values.true_expected_count, [-1])
    ones = tf.ones(tf.shape(classes), count.dtype)
    return values._replace(true_expected_count=tf.tensor_scatter_nd_update(ones, there, count))


def _draw_and_learn(
    samplers: Sequence[Any],
    classes: tf.Tensor,
    sizes: Sequence[int],
    range_max: int,
    seed: Any,
    mask: Optional[tf.Tensor],
) -> SampledValues:
    learners = []
    for sampler in samplers:
        learner = getattr(sampler, "frequencies", sampler)
        if hasattr(learner, "check_range"):
            learner.check_range(range_max)
        if isinstance(learner, LearnedUnigramSampler):
            learners += [] if any(learner is other for other in learners) else [learner]
    drawn = [
        _independent_draws(sampler, classes, size, range_max, seed, mask)
        for sampler, size in zip(samplers, sizes)
    ]
    sampled = tf.concat([one.sampled for one in drawn], axis=0)
    known = classes if mask is None else tf.where(mask, classes, 0)
    counts = [
        tf.add_n(
            [
                one.size * _probability(sampler, ids, range_max, seed)
                for sampler, one in zip(samplers, drawn)
            ]
        )
        for ids in (known, sampled if mask is None else tf.maximum(sampled, 0))
    ]
    if mask is not None:
        one = tf.ones([], tf.float64)
        counts = [tf.where(mask, counts[0], one), tf.where(sampled >= 0, counts[1], one)]
        counts[1] = _nan_if_more(counts[1], drawn, sizes)
    values = SampledValues(sampled, *(tf.cast(count, tf.float32) for count in counts))
    with tf.control_dependencies(list(values)):
        learned = [
            operation for learner in learners for operation in learner.learn(known, mask=mask)
        ]
    with tf.control_dependencies(learned):
        return SampledValues(*map(tf.identity, values))


def _independent_draws(
    sampler: Any,
    classes: tf.Tensor,
    size: int,
    range_max: int,
    seed: Any,
    mask: Optional[tf.Tensor],
) -> _Draw:
    """Returns candidates, which may repeat; learns nothing."""
    if isinstance(sampler, LearnedUnigramSampler):
        draws = sampler.draw(classes, size, False, seed=seed, mask=mask)
        return _Draw(draws.sampled_candidates, size)
    if getattr(sampler, "draws_fewer", False):
        return _labels(classes, size, mask)
    values = sampler(classes, size_of(classes, 1), size, False, range_max, seed=seed)
    return _Draw(values[0], size)


def _labels(classes: tf.Tensor, most: int, mask: Optional[tf.Tensor]) -> _Draw:
    """Returns the labels of the batch as candidates."""
    labels = tf.reshape(classes, [-1])
    if mask is not None:
        return _first_labels(labels, tf.reshape(mask, [-1]), most)
    known, count = size_of(labels, 0), tf.size(labels)
    expected = "as many in-batch candidates as there are labels, or more"
    enough = errors.require(count <= most, "num_sampled", f"{expected} ({most} are too few)", count)
    size = tf.cast(count, tf.float64) if known is None else known
    return _Draw(errors.after(enough, labels), size)


def _first_labels(labels: tf.Tensor, mask: tf.Tensor, most: int) -> _Draw:
    """Moves the labels that are true to the front, in a fixed shape; -1 follows them."""
    place = tf.cumsum(tf.cast(mask, tf.int32)) - 1
    count = tf.size(labels)
    place = tf.where(mask, place, count)  # The others go to one more place, which is cut off.
    spread = tf.fill([count + 1], tf.constant(-1, tf.int64))
    spread = tf.tensor_scatter_nd_update(spread, place[:, tf.newaxis], labels)
    known = size_of(labels, 0)
    size = count if known is None else known
    kept = tf.minimum(size, most) if known is None else min(size, most)
    return _Draw(spread[:count][:kept], tf.math.count_nonzero(mask, dtype=tf.float64))


def _nan_if_more(count: tf.Tensor, drawn: Sequence[_Draw], sizes: Sequence[int]) -> tf.Tensor:
    """Makes counts NaN if there are more labels than candidates, as XLA cannot raise an error."""
    for one, size in zip(drawn, sizes):
        if tf.is_tensor(one.size):
            count = tf.where(one.size <= size, count, tf.constant(float("nan"), count.dtype))
    return count


def _probability(sampler: Any, ids: tf.Tensor, range_max: int, seed: Any) -> tf.Tensor:
    """Returns P(k) of each class under one of the samplers, in float64."""
    sampler = getattr(sampler, "frequencies", sampler)
    if isinstance(sampler, Frequencies):
        limit = sampler.num_classes
        ids = errors.after(checks.ids_in_range("true_classes", ids, limit, None), ids)
    if isinstance(sampler, (Frequencies, LearnedUnigramSampler)):
        return sampler.probability(ids)
    # The expected count of a class in a single draw is its probability.
    flat = tf.reshape(ids, [-1, 1])
    count = sampler(flat, 1, 1, False, range_max, seed=seed)[1]
    return tf.cast(tf.reshape(count, tf.shape(ids)), tf.float64)
