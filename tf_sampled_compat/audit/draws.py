"""Many calls of a sampler, and what they added up to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf


class Draws(NamedTuple):
    """What N calls returned; C classes, S candidates a call.

    Attributes:
      sampled: `[N, S]` the candidates.
      observed: `[C]` how often each class was drawn.
      expected: `[C]` how often it was stated to be.
      excess: `[N, G + 5]` what was drawn beyond what was stated in a call, of each group and of
        each of the `FIRST` classes that were expected most.
      stated: `[G + 5]` what was stated of them, in the mean over calls.
      groups: `[C]` the group of each class.
      disagreement: The largest relative difference between a candidate's stated count and the same
        class's among the true ones.
    """

    sampled: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    excess: np.ndarray
    stated: np.ndarray
    groups: np.ndarray
    disagreement: float


GROUPS = ("head", "body", "tail")
FIRST = 5


def true_classes(num_classes: int) -> np.ndarray:
    """Every class once, to learn its stated count, then some often, for what learns from them."""
    often = np.repeat(np.arange(num_classes), num_classes // 4 // (1 + np.arange(num_classes)))
    return np.concatenate([np.arange(num_classes), often])[:, np.newaxis]


def caller(
    sampler: Callable[..., Any],
    *,
    num_sampled: int,
    range_max: int,
    unique: bool,
    seed: int,
    stateless: bool,
) -> Callable[[int], Any]:
    """Returns a function of the number of a call, traced anew, with random numbers of its own."""
    labels = true_classes(range_max)

    @tf.function(autograph=False)
    def call(number: tf.Tensor) -> Any:
        op_seed = tf.stack([tf.constant(seed, tf.int64), number]) if stateless else seed
        return tuple(sampler(labels, 1, num_sampled, unique, range_max, seed=op_seed))

    return lambda number: call(tf.constant(number, tf.int64))


def collect(call: Callable[[int], Any], num_calls: int, range_max: int) -> Draws:
    """Calls, and adds up; groups are thirds of the draws by the stated counts of a first call."""
    groups, first = None, None
    observed, expected = np.zeros(range_max), np.zeros(range_max)
    excess, sampled, stated, disagreement = [], [], [], 0.0
    for number in range(num_calls):
        ids, true_count, count = (np.asarray(value) for value in call(number))
        counts = np.float64(true_count)[:range_max, 0]
        if groups is None:
            groups, first = _thirds(counts), np.argsort(-counts, kind="stable")[:FIRST]
        inside = ids[(ids >= 0) & (ids < range_max)]
        drawn = np.bincount(inside, minlength=range_max)
        stated.append(np.append(np.bincount(groups, counts, len(GROUPS)), counts[first]))
        of_groups = np.bincount(groups, drawn, len(GROUPS))
        excess.append(np.append(of_groups, drawn[first]) - stated[-1])
        observed, expected = observed + drawn, expected + counts
        sampled.append(ids)
        if len(inside) == len(ids):
            with np.errstate(all="ignore"):
                apart = np.max(np.abs(count / counts[ids] - 1), initial=0.0)
            disagreement = max(disagreement, float(np.nan_to_num(apart, nan=np.inf)))
    return Draws(
        np.stack(sampled),
        observed,
        expected,
        np.stack(excess),
        np.mean(stated, axis=0),
        groups,
        disagreement,
    )


@contextlib.contextmanager
def state_kept(sampler: Any) -> Iterator[None]:
    """Puts a sampler's variables, if it has any, back to what they were."""
    variables = getattr(sampler, "variables", ())
    before = [tf.identity(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before):
            variable.assign(value)


def _thirds(counts: np.ndarray) -> np.ndarray:
    order = np.argsort(-counts, kind="stable")
    share = np.cumsum(counts[order]) / max(counts.sum(), 1e-300)
    groups = np.zeros(len(counts), np.int64)
    # By the middle of a class's share, so that the largest class is in the head, however large.
    middle = share - counts[order] / max(counts.sum(), 1e-300) / 2
    groups[order] = np.minimum((middle * len(GROUPS)).astype(np.int64), len(GROUPS) - 1)
    groups[order[0]] = 0
    return groups
