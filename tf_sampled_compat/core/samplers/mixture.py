"""Samplers made of others: candidates from several, and from the labels of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.typing import Sampler, TensorLike
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.samplers.tensorflow_kernels import learned_unigram_candidate_sampler
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf.shapes import size_of


class InBatchSampler(tf.Module):
    r"""Takes the labels of the batch as candidates: what is true for one row is not for others.

    All labels are candidates, so `num_sampled` is batch_size · num_true. A class is expected among
    them num_sampled · P(k) times, with P as learned from the batches before:

        P(k) ∝ 1 + occurrences of k, or by intervals (see `LearnedUnigramSampler`)

    Candidates repeat as labels do, and every row's own label is one: train with
    `exclude_true=True`, since `remove_accidental_hits` leaves all copies but the last.

    >>> frequencies = tsc.random.LearnedUnigramSampler(50, seed=1)
    >>> sampler = tsc.random.InBatchSampler(frequencies)
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     weights, biases, labels, inputs, 2, 50, sampler=sampler, exclude_true=True)
    >>> sampler([[3], [7]], 1, 2, False, 50).sampled_candidates
    <tf.Tensor: shape=(2,), dtype=int64, numpy=array([3, 7])>

    Attributes:
      frequencies: The sampler that learns how often each class is true.

    Source: Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations" (2019).
    """

    def __init__(self, frequencies: LearnedUnigramSampler, name: Optional[str] = None) -> None:
        """Makes a sampler.

        Args:
          frequencies: What learns how often each class is true; a part of the sampler's state, and
            no other sampler in use may learn with it, but one of the same `MixtureSampler`.
          name: A name.
        """
        super().__init__(name=name or "in_batch_sampler")
        if not isinstance(frequencies, LearnedUnigramSampler):
            errors.fail("frequencies", "a LearnedUnigramSampler", repr(frequencies))
        self.frequencies = frequencies

    def __call__(
        self,
        true_classes: TensorLike,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: Any = None,
        name: Optional[str] = None,
    ) -> SampledValues:
        """Takes the candidates, then learns the labels. `unique` is not heeded: labels repeat."""
        del unique
        with tf.name_scope(name or "InBatchSampler"):
            return _draw_and_learn([self], true_classes, num_true, [num_sampled], range_max, seed)


class MixtureSampler(tf.Module):
    r"""Takes candidates from several samplers, with the counts that follow from all of them.

    Of S candidates s_j come from sampler j, independent draws each, and whichever it came from a
    class is expected among them

    .. math:: E(k) = \sum_j s_j P_j(k)

    times. That differs from each one's own count: popular classes from the labels of the batch
    and rare ones from a uniform sampler correct one another. Candidates may repeat: train with
    `exclude_true=True`.

    >>> frequencies = tsc.random.LearnedUnigramSampler(50, seed=1)
    >>> sampler = tsc.random.MixtureSampler([
    ...     (tsc.random.log_uniform_candidate_sampler, 8),
    ...     (tsc.random.InBatchSampler(frequencies), 2)])
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     weights, biases, labels, inputs, 10, 50, sampler=sampler, exclude_true=True)

    Attributes:
      samplers: The samplers.
      sizes: How many candidates come from each.

    Source: Yang et al., "Mixed Negative Sampling for Learning Two-tower Neural Networks in
    Recommendations" (2020).
    """

    def __init__(self, samplers: Sequence[tuple[Sampler, int]], name: Optional[str] = None) -> None:
        """Makes a sampler of others.

        Args:
          samplers: Pairs of a sampler and how many candidates come from it: functions with the
            samplers' signature whose probabilities do not change (one sampled of one is expected
            P(k) times), `LearnedUnigramSampler`s and `InBatchSampler`s.
          name: A name.
        """
        super().__init__(name=name or "mixture_sampler")
        samplers = list(samplers)
        if not samplers:
            errors.fail("samplers", "at least one", "none")
        for sampler, size in samplers:
            checks.sampler(sampler, True)
            checks.size_attribute("samplers: how many candidates", size)
            kernels = (
                learned_unigram_candidate_sampler,
                tf.random.learned_unigram_candidate_sampler,
            )
            if sampler in kernels or isinstance(sampler, MixtureSampler):
                expected = "LearnedUnigramSampler, whose probabilities can be asked for"
                errors.fail("samplers", expected, repr(sampler))
        self.samplers = [sampler for sampler, _ in samplers]
        self.sizes = [int(size) for _, size in samplers]

    def __call__(
        self,
        true_classes: TensorLike,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: Any = None,
        name: Optional[str] = None,
    ) -> SampledValues:
        """Draws from each, then learns. `unique` is not heeded: candidates may repeat."""
        del unique
        if checks.size_attribute("num_sampled", num_sampled) != sum(self.sizes):
            errors.fail("num_sampled", f"the sum of {list(self.sizes)}", num_sampled)
        with tf.name_scope(name or "MixtureSampler"):
            return _draw_and_learn(
                self.samplers, true_classes, num_true, self.sizes, range_max, seed
            )


def _draw_and_learn(
    samplers: Sequence[Any],
    true_classes: TensorLike,
    num_true: int,
    sizes: Sequence[int],
    range_max: int,
    seed: Any,
) -> SampledValues:
    classes = tf.reshape(as_class_ids(true_classes), [-1, num_true])
    learners = []
    for sampler in samplers:
        learner = getattr(sampler, "frequencies", sampler)
        if isinstance(learner, LearnedUnigramSampler):
            learner.check_range(range_max)
            learners += [] if any(learner is other for other in learners) else [learner]
    drawn = [
        _draw(sampler, classes, size, range_max, seed) for sampler, size in zip(samplers, sizes)
    ]
    sampled = tf.concat(drawn, axis=0)
    counts = [
        tf.add_n(
            [
                size * _probability(sampler, ids, range_max, seed)
                for sampler, size in zip(samplers, sizes)
            ]
        )
        for ids in (classes, sampled)
    ]
    values = SampledValues(sampled, *(tf.cast(count, tf.float32) for count in counts))
    with tf.control_dependencies(list(values)):
        learned = [operation for learner in learners for operation in learner.learn(classes)]
    with tf.control_dependencies(learned):
        return SampledValues(*map(tf.identity, values))


def _draw(sampler: Any, classes: tf.Tensor, size: int, range_max: int, seed: Any) -> tf.Tensor:
    """`[size]` independent draws; nothing is learned."""
    if isinstance(sampler, LearnedUnigramSampler):
        return sampler.draw(classes, size, False, seed=seed).sampled_candidates
    if not isinstance(sampler, InBatchSampler):
        return sampler(classes, size_of(classes, 1), size, False, range_max, seed=seed)[0]
    labels = tf.reshape(classes, [-1])
    expected = "as many in-batch candidates as there are labels"
    same = errors.require(tf.equal(tf.size(labels), size), "num_sampled", expected, size)
    return tf.ensure_shape(errors.after(same, labels), [size])


def _probability(sampler: Any, ids: tf.Tensor, range_max: int, seed: Any) -> tf.Tensor:
    """The probability of each class in one draw, in float64."""
    sampler = getattr(sampler, "frequencies", sampler)
    if isinstance(sampler, LearnedUnigramSampler):
        return sampler.probability(ids)
    # Of one candidate a class is expected that often.
    flat = tf.reshape(ids, [-1, 1])
    count = sampler(flat, 1, 1, False, range_max, seed=seed)[1]
    return tf.cast(tf.reshape(count, tf.shape(ids)), tf.float64)
