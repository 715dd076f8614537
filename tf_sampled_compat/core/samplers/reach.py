"""How many distinct classes a number of draws can find, before any class is drawn.

The last of many distinct classes may be so rare that no draw finds it in years. The number of
distinct classes among N draws has the mean and the variance of a sum of independent indicators, one
for each class, or less. Bennett's inequality then bounds how likely it is far from its mean.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers import pieces
from tf_sampled_compat.core.tf import private

# Negative logarithms of probabilities: of a draw that succeeds but is refused, and of a draw that
# is made in one piece and fails.
_HOPELESS, _SURE = 14.0, 40.0
# A class that comes up at least so often in MOST_TRIES draws, on average, is surely found.
_SURE_OCCURRENCES = 64
_TINY = 1e-200  # In place of a variance of 0.
# The log-uniform law's classes one by one up to here, and from here in groups of the same P(k).
_SINGLE, _GROWTH = 4096, 1.01


class Groups(NamedTuple):
    """Classes grouped by their probability.

    Attributes:
      probability: `[G]` float64, P(k) of a class of each group, positive.
      size: `[G]` float64, the number of classes in each group.
    """

    probability: np.ndarray
    size: np.ndarray

    def missing(self, tries: int) -> tuple[float, float]:
        """Returns mean and variance of how many classes do not come up in so many draws."""
        with np.errstate(divide="ignore"):  # A class of probability 1.
            missed = np.exp(tries * np.log1p(-self.probability))
        return float(missed @ self.size), float((missed * (1 - missed)) @ self.size)

    def distinct(self, tries: int) -> int:
        """Returns about how many distinct classes so many draws find."""
        return max(1, math.floor(self.size.sum() - self.missing(tries)[0]))

    def are_hopeless(self, num_sampled: int, tries: int) -> bool:
        """Whether so many draws almost surely find fewer distinct classes."""
        mean, variance = self.missing(tries)
        return _surprise(num_sampled - self.size.sum() + mean, variance) > _HOPELESS

    def are_sure(self, num_sampled: int, tries: int) -> bool:
        """Whether so many draws almost surely find as many distinct classes."""
        mean, variance = self.missing(tries)
        return _surprise(self.size.sum() - num_sampled + 1 - mean, variance) > _SURE

    def require(self, num_sampled: int) -> None:
        """Raises an `ArgumentError` if `num_sampled` distinct classes are hopeless."""
        if num_sampled > self.size.sum() or self.are_hopeless(num_sampled, pieces.MOST_TRIES):
            errors.fail("num_sampled", _at_most(self.distinct(pieces.MOST_TRIES)), num_sampled)


@functools.lru_cache(maxsize=256)
def fits_one_piece(law: str, range_max: int, num_sampled: int) -> bool:
    """Whether one piece of a unique draw almost surely suffices; refuses a hopeless draw.

    Args:
      law: "uniform" or "log_uniform".
      range_max: C.
      num_sampled: S.
    """
    groups = uniform(range_max) if law == "uniform" else log_uniform(range_max)
    groups.require(num_sampled)
    return groups.are_sure(num_sampled, pieces.PIECE)


def uniform(range_max: int) -> Groups:
    """The classes of the uniform law."""
    return Groups(np.array([1 / range_max]), np.array([float(range_max)]))


def log_uniform(range_max: int) -> Groups:
    """The classes of the log-uniform law, in groups of nearly the same probability."""
    single = min(_SINGLE, range_max)
    growth = math.ceil(math.log(range_max / single) / math.log(_GROWTH))
    edges = np.concatenate([np.arange(single), np.geomspace(single, range_max, growth + 1)])
    edges = np.floor(edges) if growth else np.arange(range_max + 1.0)
    size = np.diff(edges)
    with np.errstate(invalid="ignore"):  # Groups at the start may be empty.
        whole = np.log1p(size / (edges[:-1] + 1)) / math.log1p(range_max)
        probability = whole / size
    kept = size > 0
    return Groups(probability[kept], size[kept])


def require_weighted(cumulative: np.ndarray, num_sampled: int) -> None:
    """Refuses a hopeless unique draw by weights; `cumulative` holds their `[C]` integer sums."""
    weights = np.diff(cumulative, prepend=0)
    if np.count_nonzero(weights >= _sure_weight(int(cumulative[-1]))) >= num_sampled:
        return
    weights = weights[weights > 0]
    Groups(weights / float(cumulative[-1]), np.ones(len(weights))).require(num_sampled)


def weighted_is_possible(cumulative: tf.Tensor, num_sampled: int) -> tuple[tf.Tensor, list]:
    """Does the same for weights that only the running graph knows.

    Returns:
      Whether the draw is not hopeless, a bool scalar; and the assertions that it is not.
    """
    before = tf.concat([tf.zeros_like(cumulative[:1]), cumulative[:-1]], axis=0)
    weights, total = cumulative - before, cumulative[-1]
    sure = tf.math.count_nonzero(weights >= _sure_weight(total))
    distinct = tf.cond(
        sure >= num_sampled,
        functools.partial(tf.constant, num_sampled, tf.int64),
        functools.partial(_hoped_for, weights, total, num_sampled),
    )
    possible = distinct >= num_sampled
    if private.in_xla_context():  # It compiles neither strings nor assertions.
        return possible, []
    if tf.executing_eagerly():
        if not possible:
            errors.fail("num_sampled", _at_most(int(distinct)), num_sampled)
        return possible, []
    got = tf.strings.join([f"{num_sampled}, of which about ", tf.strings.as_string(distinct)])
    expected = f"at most the distinct classes that {pieces.MOST_TRIES} draws find, or unique=False"
    return possible, errors.require(possible, "num_sampled", expected, got)


def _hoped_for(weights: tf.Tensor, total: tf.Tensor, num_sampled: int) -> tf.Tensor:
    """Returns `num_sampled`, or about how many classes are found if that many are hopeless."""
    share = tf.cast(weights, tf.float64) / tf.cast(total, tf.float64)
    missed = tf.exp(pieces.MOST_TRIES * tf.math.log1p(-share))
    missed = tf.where(weights > 0, missed, tf.zeros_like(missed))
    classes = tf.cast(tf.math.count_nonzero(weights), tf.float64)
    mean = tf.reduce_sum(missed)
    variance = tf.reduce_sum(missed * (1 - missed)) + _TINY
    excess = tf.maximum(num_sampled - classes + mean, 0)
    ratio = excess / variance
    surprise = variance * ((1 + ratio) * tf.math.log1p(ratio) - ratio)
    hopeless = (surprise > _HOPELESS) | (classes < num_sampled)
    distinct = tf.maximum(tf.cast(tf.floor(classes - mean), tf.int64), 1)
    return tf.where(hopeless, tf.minimum(distinct, num_sampled - 1), num_sampled)


def _surprise(excess: float, variance: float) -> float:
    """Bennett's bound on -log P(a sum exceeds its mean by `excess`, or falls short by it)."""
    if excess <= 0:
        return 0.0
    variance += _TINY
    ratio = excess / variance
    return variance * ((1 + ratio) * math.log1p(ratio) - ratio)


def _sure_weight(total: int) -> int:
    return total // (pieces.MOST_TRIES // _SURE_OCCURRENCES) + 1


def _at_most(distinct: int) -> str:
    return (
        f"at most about {distinct} distinct classes, which {pieces.MOST_TRIES} draws find, or "
        "unique=False"
    )
