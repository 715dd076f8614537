"""Calls a sampler many times, and counts what it drew and what it stated."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf

# From the number of a call to what the sampler returns.
Call = Callable[[int], Any]


class Tally(NamedTuple):
    """The counts over N calls; C classes, S candidates per call, G groups of classes.

    Attributes:
      sampled: `[N, S]`: the candidates.
      observed: `[C]`: how often each class was drawn.
      expected: `[C]`: how often it should have been drawn, by the stated counts.
      excess: `[N, G + 5]`: observed minus stated count in each call, of each group and of each of
        the `FIRST` classes with the highest stated counts.
      stated: `[G + 5]`: their stated counts, averaged over calls.
      groups: `[C]`: the group of each class.
      disagreement: The largest relative difference between a candidate's stated count and the count
        stated for the same class as a true class.
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
    """Returns each class once, to learn its stated count, and then some repeatedly.

    The repeated ones give a sampler that learns from its calls something uneven to learn.
    """
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
) -> Call:
    """Returns a freshly traced function that calls the sampler with the given options."""
    labels = true_classes(range_max)

    @tf.function(autograph=False)
    def call(number: tf.Tensor) -> Any:
        op_seed = tf.stack([tf.constant(seed, tf.int64), number]) if stateless else seed
        return tuple(sampler(labels, 1, num_sampled, unique, range_max, seed=op_seed))

    return lambda number: call(tf.constant(number, tf.int64))


def tally(call: Call, num_calls: int, range_max: int) -> Tally:
    """Makes the calls and counts. The first call's stated counts divide the classes into groups."""
    groups, first = np.zeros(0, np.int64), np.zeros(0, np.int64)
    observed, expected = np.zeros(range_max), np.zeros(range_max)
    excess, sampled, stated, disagreement = [], [], [], 0.0
    for number in range(num_calls):
        ids, true_count, sampled_count = (np.asarray(value) for value in call(number))
        counts = true_count.astype(np.float64)[:range_max, 0]
        if number == 0:
            groups, first = _thirds(counts), np.argsort(-counts, kind="stable")[:FIRST]
        inside = ids[(ids >= 0) & (ids < range_max)]
        drawn = np.bincount(inside, minlength=range_max)
        stated.append(_of_groups_and_first(counts, groups, first))
        excess.append(_of_groups_and_first(drawn, groups, first) - stated[-1])
        observed, expected = observed + drawn, expected + counts
        sampled.append(ids)
        if len(inside) == len(ids):
            disagreement = max(disagreement, _disagreement(sampled_count, counts[ids]))
    return Tally(
        np.stack(sampled),
        observed,
        expected,
        np.stack(excess),
        np.mean(stated, axis=0),
        groups,
        disagreement,
    )


@contextlib.contextmanager
def restored_state(sampler: Any) -> Iterator[None]:
    """Restores the sampler's variables, if it has any, at the end of the context."""
    variables = getattr(sampler, "variables", ())
    before = [tf.identity(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before):
            variable.assign(value)


def _of_groups_and_first(counts: np.ndarray, groups: np.ndarray, first: np.ndarray) -> np.ndarray:
    return np.append(np.bincount(groups, counts, len(GROUPS)), counts[first])


def _disagreement(count: np.ndarray, true_count: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        apart = np.max(np.abs(count / true_count - 1), initial=0.0)
    return float(np.nan_to_num(apart, nan=np.inf))


def _thirds(counts: np.ndarray) -> np.ndarray:
    """Returns the group of each class: groups are thirds of the expected draws."""
    order = np.argsort(-counts, kind="stable")
    total = max(counts.sum(), 1e-300)
    # The middle of a class's share decides. The largest class is in the head, however large it is.
    middle = np.cumsum(counts[order]) / total - counts[order] / total / 2
    groups = np.zeros(len(counts), np.int64)
    groups[order] = np.minimum((middle * len(GROUPS)).astype(np.int64), len(GROUPS) - 1)
    groups[order[0]] = 0
    return groups
