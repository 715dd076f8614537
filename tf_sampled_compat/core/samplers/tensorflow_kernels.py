"""TensorFlow's candidate samplers: its kernels and draws, with checks where a kernel would hang."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.backends import accidental_hits
from tf_sampled_compat.core.samplers import unigram_weights
from tf_sampled_compat.core.samplers.values import SampledValues

# TensorFlow's learned sampler keeps a tree of int32 counts with this many leaves: 4 GiB at the
# limit. TensorFlow accepts up to 2**31 - 1, and then allocates for minutes.
_LEARNED_RANGE_LIMIT = 2**29


def uniform_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes uniformly: P(k) = 1 / range_max.

    >>> sampled, true_count, sampled_count = tsc.random.uniform_candidate_sampler(
    ...     [[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=50, seed=1)
    >>> sampled.shape
    TensorShape([5])

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: How many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes.
      seed: An operation seed.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[num_sampled]` int64
      classes; `[batch_size, num_true]` float32, how often each true class is expected among them;
      `[num_sampled]` float32, the same for each candidate. The expected count of class k is
      P(k) · num_sampled, or, if `unique`, 1 - (1 - P(k)) ** tries: TensorFlow draws until
      `num_sampled` distinct classes have come up, and `tries` is how many draws that took.

    Raises:
      InvalidArgumentError: If a true class is out of range, or if `unique` and `num_sampled` is
        more than `range_max`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/uniform_candidate_sampler.
    """
    return tf.random.uniform_candidate_sampler(
        **_checked(true_classes, num_true, num_sampled, unique, seed, name),
        range_max=checks.known_size("range_max", range_max),
    )


def log_uniform_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes log-uniformly: P(k) = log((k + 2) / (k + 1)) / log(range_max + 1).

    Fits classes that follow Zipf's law and are sorted by decreasing frequency.

    >>> sampled, true_count, sampled_count = tsc.random.log_uniform_candidate_sampler(
    ...     [[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=50, seed=1)
    >>> true_count.shape
    TensorShape([2, 1])

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: How many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes.
      seed: An operation seed.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)` as
      `uniform_candidate_sampler` returns them, with the P(k) above.

    Raises:
      InvalidArgumentError: See `uniform_candidate_sampler`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/log_uniform_candidate_sampler.
    """
    return tf.random.log_uniform_candidate_sampler(
        **_checked(true_classes, num_true, num_sampled, unique, seed, name),
        range_max=checks.known_size("range_max", range_max),
    )


def learned_unigram_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes by how often they have been true: P(k) ∝ 1 + occurrences of k so far.

    TensorFlow's kernel holds the counts. No checkpoint saves them, each traced function has its own
    counts, and in eager mode calls with equal arguments share them. `LearnedUnigramSampler` keeps
    them in a variable instead.

    >>> sampled, true_count, sampled_count = tsc.random.learned_unigram_candidate_sampler(
    ...     [[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=50, seed=1)
    >>> sampled_count.shape
    TensorShape([5])

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype. They are counted after
        the draw.
      num_true: The number of target classes of each example.
      num_sampled: How many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes, at most 2**29.
      seed: An operation seed.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)` as
      `uniform_candidate_sampler` returns them, with the P(k) above.

    Raises:
      ValueError: If `range_max` is more than 2**29: the kernel's counts would take more than 4 GiB.
      InvalidArgumentError: See `uniform_candidate_sampler`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/learned_unigram_candidate_sampler.
    """
    range_max = checks.known_size("range_max", range_max)
    if range_max > _LEARNED_RANGE_LIMIT:
        errors.fail(
            "range_max",
            f"at most {_LEARNED_RANGE_LIMIT}, as the learned sampler holds a table of that size",
            range_max,
        )
    return tf.random.learned_unigram_candidate_sampler(
        **_checked(true_classes, num_true, num_sampled, unique, seed, name), range_max=range_max
    )


def fixed_unigram_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> SampledValues:
    """Samples classes by given weights: P(k) ∝ unigrams[k] ** distortion.

    >>> sampled, true_count, sampled_count = tsc.random.fixed_unigram_candidate_sampler(
    ...     [[3], [7]], num_true=1, num_sampled=5, unique=True, range_max=8, seed=1,
    ...     unigrams=[8, 7, 6, 5, 4, 3, 2, 1], distortion=0.75)
    >>> sampled.shape
    TensorShape([5])

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: How many classes to draw.
      unique: Whether all drawn classes are distinct.
      range_max: The number of classes.
      vocab_file: A CSV file with one class a line, whose last column holds the weights.
      distortion: The power that weights are raised to.
      num_reserved_ids: How many ids without a weight come before the given ones.
      num_shards: The number of samplers that share the classes.
      shard: The number of this sampler among them.
      unigrams: The weights, if there is no file.
      seed: An operation seed.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)` as
      `uniform_candidate_sampler` returns them, with the P(k) above.

    Raises:
      ValueError: If a weight is negative or not finite, or `unique` and fewer than `num_sampled`
        classes have a positive weight (TensorFlow's kernel would never return).
      InvalidArgumentError: See `uniform_candidate_sampler`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/fixed_unigram_candidate_sampler.
    """
    arguments = _checked(true_classes, num_true, num_sampled, unique, seed, name)
    range_max = checks.known_size("range_max", range_max)
    weights = unigram_weights.converted(
        vocab_file=vocab_file,
        unigrams=unigrams,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        range_max=range_max,
    )
    unigram_weights.check(weights, arguments["num_sampled"], arguments["unique"])
    return tf.random.fixed_unigram_candidate_sampler(
        **arguments, range_max=range_max, **weights._asdict()
    )


def all_candidate_sampler(
    true_classes: TensorLike,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> SampledValues:
    """Returns the classes 0 … num_sampled - 1, each expected once: no sampling, for small tests.

    >>> tsc.random.all_candidate_sampler([[0]], 1, num_sampled=3, unique=True).sampled_candidates
    <tf.Tensor: shape=(3,), dtype=int64, numpy=array([0, 1, 2])>

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      num_true: The number of target classes of each example.
      num_sampled: The number of classes.
      unique: Ignored: all classes are distinct.
      seed: An operation seed.
      name: A name for the operation.

    Returns:
      `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[num_sampled]` int64,
      and float32 ones of the shapes `[batch_size, num_true]` and `[num_sampled]`.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/all_candidate_sampler.
    """
    return tf.random.all_candidate_sampler(
        **_checked(true_classes, num_true, num_sampled, unique, seed, name)
    )


def compute_accidental_hits(
    true_classes: TensorLike,
    sampled_candidates: TensorLike,
    num_true: int,
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Finds accidental hits: candidates that are a true class of an example.

    >>> rows, positions, weights = tsc.nn.compute_accidental_hits([[3], [7]], [7, 1, 3], 1)
    >>> rows.numpy().tolist(), positions.numpy().tolist()
    ([0, 1], [2, 0])

    Args:
      true_classes: `[batch_size, num_true]` class ids of any integer dtype.
      sampled_candidates: `[num_sampled]` class ids. If one is repeated, only its last copy is
        found.
      num_true: The number of target classes of each example.
      seed: An operation seed. It has no effect.
      name: A name for the operation.

    Returns:
      `(indices, ids, weights)`: `[H]` int32 examples, `[H]` int64 positions among the candidates,
      and `[H]` float32 weights of -FLT_MAX, to add to logits.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/compute_accidental_hits.
    """
    checks.name(name)
    return accidental_hits.tensorflows(
        as_class_ids(true_classes, "true_classes"),
        as_class_ids(sampled_candidates, "sampled_candidates"),
        checks.known_size("num_true", num_true),
        seed=checks.op_seed(seed),
        name=name,
    )


def _checked(
    true_classes: TensorLike, num_true: Any, num_sampled: Any, unique: Any, seed: Any, name: Any
) -> dict[str, Any]:
    """Converts and checks the arguments that all samplers have."""
    checks.name(name)
    return {
        "true_classes": as_class_ids(true_classes, "true_classes"),
        "num_true": checks.known_size("num_true", num_true),
        "num_sampled": checks.known_size("num_sampled", num_sampled),
        "unique": checks.flag("unique", unique),
        "seed": checks.op_seed(seed),
        "name": name,
    }
