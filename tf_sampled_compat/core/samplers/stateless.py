"""Samplers whose draws depend on their seed only: the same in eager mode, in graphs and under XLA.

They follow TensorFlow's samplers: draw one class after another and, if `unique`, reject repeated
ones until there are `num_sampled`. Expected counts use the observed number of tries. Where
TensorFlow's kernels would end the process or hang, these raise an error, at once if no draw can
succeed. XLA compiles no assertions: there missing candidates are -1, and all counts are NaN if any
is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.samplers import (
    cumulative_weights,
    expected_counts,
    fused_draws,
    inversion,
    reach,
    unigram_weights,
)
from tf_sampled_compat.core.samplers.law import Law, Sizes, checked_sizes, sample
from tf_sampled_compat.core.samplers.values import SampledValues


def stateless_uniform_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: TensorLike,
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes uniformly, and the same classes for the same seed: P(k) = 1 / range_max.

    >>> sampled, true_count, sampled_count = tsc.random.stateless_uniform_candidate_sampler(
    ...     [[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=50, seed=[1, 2])
    >>> sampled.shape
    TensorShape([5])

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: S, how many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes, at most 2**53.
      seed: `[2]` integers, all 128 bits of which matter.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[S]` int64 classes;
      `[batch_size, num_true]` float32, how often each true class is expected among them; `[S]`
      float32, the same for each candidate. The expected count of class k is P(k) · S, or, if
      `unique`, 1 - (1 - P(k)) ** tries, where `tries` is the number of draws it took to find S
      distinct classes.

    Raises:
      InvalidArgumentError: If a true class is out of range, if `num_sampled` is 2**31 or more, or
        if `unique` and 2**31 - 1 tries do not find S distinct classes. Under XLA, which cannot
        raise errors on values, the count of a class out of range is NaN; missing candidates are -1,
        and then all counts are NaN.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/uniform_candidate_sampler.
    """
    checks.name(name)
    with tf.name_scope(name or "stateless_uniform_candidate_sampler"):
        size = checked_sizes(num_true, num_sampled, range_max, unique)
        if size.unique:
            reach.fits_one_piece("uniform", size.range_max, size.num_sampled)  # or is refused
        law = Law(
            lambda words: inversion.uniform(words, size.range_max),
            lambda classes: expected_counts.uniform(classes, size.range_max),
            fused=fused_draws.uniform(size.range_max),
        )
        return sample(law, true_classes, size, seed)


def stateless_log_uniform_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: TensorLike,
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes log-uniformly: P(k) = log((k + 2) / (k + 1)) / log(range_max + 1).

    Fits classes that follow Zipf's law and are sorted by decreasing frequency.

    >>> sampler = tf.function(
    ...     tsc.random.stateless_log_uniform_candidate_sampler, jit_compile=True)
    >>> one, two = (sampler([[3], [7]], 1, 5, True, 50, seed=[1, 2]) for _ in range(2))
    >>> bool(tf.reduce_all(one.sampled_candidates == two.sampled_candidates))
    True

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: S, how many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes, at most 2**53.
      seed: `[2]` integers, all 128 bits of which matter.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)` as
      `stateless_uniform_candidate_sampler` returns them, with the P(k) above.

    Raises:
      InvalidArgumentError: See `stateless_uniform_candidate_sampler`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/log_uniform_candidate_sampler.
    """
    checks.name(name)
    with tf.name_scope(name or "stateless_log_uniform_candidate_sampler"):
        size = checked_sizes(num_true, num_sampled, range_max, unique)
        if size.unique:
            reach.fits_one_piece("log_uniform", size.range_max, size.num_sampled)  # or is refused
        law = Law(
            lambda words: inversion.log_uniform(words, size.range_max),
            lambda classes: expected_counts.log_uniform(classes, size.range_max),
            fused=fused_draws.log_uniform(size.range_max),
        )
        return sample(law, true_classes, size, seed)


def stateless_learned_unigram_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: TensorLike,
    counts: TensorLike,
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes by counts that the caller keeps: P(k) = counts[k] / Σ counts.

    Each call sums up all counts, which takes O(range_max). `true_classes` are not counted.
    (TensorFlow's sampler counts them after each draw, and starts with 1 for each class.)

    >>> counts = tf.tensor_scatter_nd_add(tf.ones([50], tf.int64), [[3], [7]], [1, 1])
    >>> sampled, true_count, _ = tsc.random.stateless_learned_unigram_candidate_sampler(
    ...     [[3], [7]], 1, num_sampled=5, unique=False, range_max=50, seed=[1, 2], counts=counts)
    >>> print(true_count.numpy()[:, 0] * 52 / 5)
    [2. 2.]

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: S, how many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes.
      seed: `[2]` integers, all 128 bits of which matter.
      counts: `[range_max]` occurrences: integers whose sum is below 2**61, or floating-point
        numbers.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)` as
      `stateless_uniform_candidate_sampler` returns them, with the P(k) above.

    Raises:
      InvalidArgumentError: If a count is negative, not finite, or all are zero; if `unique` and
        fewer than `num_sampled` are positive; and see `stateless_uniform_candidate_sampler`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/learned_unigram_candidate_sampler.
    """
    checks.name(name)
    with tf.name_scope(name or "stateless_learned_unigram_candidate_sampler"):
        size = checked_sizes(num_true, num_sampled, range_max, unique)
        checked = cumulative_weights.checked_counts(counts, size.range_max)
        if not size.unique:
            law = _weighted(cumulative_weights.cumulative(checked), size)
            return sample(law, true_classes, size, seed)
        positive = tf.math.count_nonzero(checked)
        assertions = errors.require(
            positive >= size.num_sampled,
            "num_sampled",
            "at most the positive counts (unique=True)",
            positive,
        )
        cumulative = cumulative_weights.cumulative(errors.after(assertions, checked))
        possible, assertions = reach.weighted_is_possible(cumulative, size.num_sampled)
        law = _weighted(errors.after(assertions, cumulative), size)
        return sample(law._replace(possible=possible), true_classes, size, seed)


def stateless_fixed_unigram_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: TensorLike,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes by given weights: P(k) ∝ unigrams[k] ** distortion.

    >>> sampled, true_count, sampled_count = tsc.random.stateless_fixed_unigram_candidate_sampler(
    ...     [[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=8, seed=[1, 2],
    ...     unigrams=[8, 7, 6, 5, 4, 3, 2, 1], distortion=0.75)
    >>> sampled.shape
    TensorShape([5])

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: S, how many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes.
      seed: `[2]` integers, all 128 bits of which matter.
      vocab_file: A CSV file with one class a line, whose last column holds the weights.
      distortion: The power that weights are raised to.
      num_reserved_ids: How many ids without a weight come before the given ones.
      num_shards: The number of samplers that share the classes.
      shard: The number of this sampler among them.
      unigrams: The weights, if there is no file.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)` as
      `stateless_uniform_candidate_sampler` returns them, with the P(k) above.

    Raises:
      InvalidArgumentError: If a weight is negative or not finite, or all are zero; if their number
        is not `range_max`; if `unique` and fewer than `num_sampled` classes have a positive weight;
        and see `stateless_uniform_candidate_sampler`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/fixed_unigram_candidate_sampler.
    """
    checks.name(name)
    with tf.name_scope(name or "stateless_fixed_unigram_candidate_sampler"):
        size = checked_sizes(num_true, num_sampled, range_max, unique)
        distorted = unigram_weights.of_shard(
            unigram_weights.converted(
                vocab_file=vocab_file,
                unigrams=unigrams,
                distortion=distortion,
                num_reserved_ids=num_reserved_ids,
                num_shards=num_shards,
                shard=shard,
                range_max=size.range_max,
            )
        )
        if len(distorted) != size.range_max:
            errors.fail("range_max", f"{len(distorted)}, the number of weights", size.range_max)
        drawable = int(np.count_nonzero(distorted))
        needed = size.num_sampled if size.unique else 1
        if needed > drawable:
            expected = f"at most {drawable}, the classes of non-zero weight (unique=True)"
            errors.fail("num_sampled", expected, size.num_sampled)
        sums = cumulative_weights.cumulative_constant(distorted)
        if size.unique:
            reach.require_weighted(sums, size.num_sampled)
        return sample(_weighted(tf.constant(sums), size), true_classes, size, seed)


def _weighted(cumulative: tf.Tensor, size: Sizes) -> Law:
    return Law(
        lambda words: inversion.weighted(words, cumulative),
        lambda classes: expected_counts.weighted(classes, cumulative),
        fused=fused_draws.weighted(cumulative, size.range_max),
    )
