"""Samplers that take candidates from the labels of the batch, or from several other samplers."""

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
    r"""Takes the labels of the batch as candidates: each row's true classes are others' negatives.

    All labels are candidates, so `num_sampled` must be batch_size · num_true. The expected count of
    a class is num_sampled · P(k), with P learned from earlier batches:

        P(k) ∝ 1 + occurrences of k, or ∝ 1 / interval (see `LearnedUnigramSampler`)

    Candidates repeat as labels do, and each row's own labels are among them. Train with
    `exclude_true=True`, because `remove_accidental_hits` removes only the last copy of a class.

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
        """Creates a sampler.

        Args:
          frequencies: The sampler that learns how often each class is true. Share it only with
            samplers of the same `MixtureSampler`, so that a batch is learned once.
          name: A name for the module.
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
        """Returns the labels as candidates, then learns them.

        Args:
          true_classes: `[batch_size, num_true]` class ids of any integer dtype.
          num_true: The number of target classes of each example.
          num_sampled: batch_size · num_true.
          unique: Ignored: labels repeat.
          range_max: The number of classes; must equal `frequencies.num_classes`.
          seed: Ignored: nothing is drawn.
          name: A name for the operations.

        Returns:
          `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[num_sampled]` int64
          classes; `[batch_size, num_true]` float32, how often each true class is expected among
          them; `[num_sampled]` float32, the same for each candidate.

        Raises:
          InvalidArgumentError: If `num_sampled` is not the number of labels, or a label is out of
            range.
        """
        del unique
        with tf.name_scope(name or "InBatchSampler"):
            return _draw_and_learn([self], true_classes, num_true, [num_sampled], range_max, seed)


class MixtureSampler(tf.Module):
    r"""Takes candidates from several samplers, with expected counts for the whole mixture.

    Sampler j contributes s_j independent draws. The expected count of a class is

    .. math:: E(k) = \sum_j s_j P_j(k)

    whichever sampler it came from. For example, labels of the batch bring popular classes and a
    uniform sampler brings rare ones. Candidates may repeat: train with `exclude_true=True`.

    >>> frequencies = tsc.random.LearnedUnigramSampler(50, seed=1)
    >>> sampler = tsc.random.MixtureSampler([
    ...     (tsc.random.log_uniform_candidate_sampler, 8),
    ...     (tsc.random.InBatchSampler(frequencies), 2)])
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     weights, biases, labels, inputs, 10, 50, sampler=sampler, exclude_true=True)

    Attributes:
      samplers: The samplers.
      sizes: The number of candidates from each.

    Source: Yang et al., "Mixed Negative Sampling for Learning Two-tower Neural Networks in
    Recommendations" (2020).
    """

    def __init__(self, samplers: Sequence[tuple[Sampler, int]], name: Optional[str] = None) -> None:
        """Creates a sampler from others.

        Args:
          samplers: Pairs of a sampler and the number of candidates to take from it. A sampler is a
            `LearnedUnigramSampler`, an `InBatchSampler`, or a function with the samplers' signature
            whose probabilities do not change from call to call.
          name: A name for the module.
        """
        super().__init__(name=name or "mixture_sampler")
        samplers = list(samplers)
        if not samplers:
            errors.fail("samplers", "at least one", "none")
        for sampler, size in samplers:
            checks.sampler(sampler, True)
            checks.known_size("samplers: how many candidates", size)
            kernels = (
                learned_unigram_candidate_sampler,
                tf.random.learned_unigram_candidate_sampler,
            )
            if sampler in kernels or isinstance(sampler, MixtureSampler):
                expected = "LearnedUnigramSampler, whose probabilities are known"
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
        """Draws from each sampler, then learns the labels.

        Args:
          true_classes: `[batch_size, num_true]` class ids of any integer dtype.
          num_true: The number of target classes of each example.
          num_sampled: The sum of `sizes`.
          unique: Ignored: candidates may repeat.
          range_max: The number of classes.
          seed: Passed on to the samplers.
          name: A name for the operations.

        Returns:
          `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[num_sampled]` int64
          classes; `[batch_size, num_true]` float32, how often each true class is expected among
          them; `[num_sampled]` float32, the same for each candidate.

        Raises:
          ValueError: If `num_sampled` is not the sum of `sizes`; and the errors of the samplers.
        """
        del unique
        if checks.known_size("num_sampled", num_sampled) != sum(self.sizes):
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
        _independent_draws(sampler, classes, size, range_max, seed)
        for sampler, size in zip(samplers, sizes)
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


def _independent_draws(
    sampler: Any, classes: tf.Tensor, size: int, range_max: int, seed: Any
) -> tf.Tensor:
    """Returns `[size]` classes, which may repeat; learns nothing."""
    if isinstance(sampler, LearnedUnigramSampler):
        return sampler.draw(classes, size, False, seed=seed).sampled_candidates
    if not isinstance(sampler, InBatchSampler):
        return sampler(classes, size_of(classes, 1), size, False, range_max, seed=seed)[0]
    labels = tf.reshape(classes, [-1])
    expected = "as many in-batch candidates as there are labels"
    same = errors.require(tf.equal(tf.size(labels), size), "num_sampled", expected, size)
    return tf.ensure_shape(errors.after(same, labels), [size])


def _probability(sampler: Any, ids: tf.Tensor, range_max: int, seed: Any) -> tf.Tensor:
    """Returns P(k) of each class under one of the samplers, in float64."""
    sampler = getattr(sampler, "frequencies", sampler)
    if isinstance(sampler, LearnedUnigramSampler):
        return sampler.probability(ids)
    # The expected count of a class in a single draw is its probability.
    flat = tf.reshape(ids, [-1, 1])
    count = sampler(flat, 1, 1, False, range_max, seed=seed)[1]
    return tf.cast(tf.reshape(count, tf.shape(ids)), tf.float64)
