"""The stateless samplers: every mode draws what Python loops draw, or all refuse."""

from __future__ import annotations

import functools
import itertools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import tf_sampled_compat as tsc
from tests import naive_draws
from tests.fuzz.outcome import outcome, same_words
from tests.fuzz.target import Target

INT64 = st.integers(-(2**63), 2**63 - 1)
SAMPLERS = {
    "uniform": tsc.random.stateless_uniform_candidate_sampler,
    "log_uniform": tsc.random.stateless_log_uniform_candidate_sampler,
    "learned": tsc.random.stateless_learned_unigram_candidate_sampler,
}
# Tries of a unique draw of the loops: a fault that makes it endless must not hang them.
MOST_TRIES = 20_000


class Static(NamedTuple):
    """What a graph knows."""

    law: str
    num_sampled: int
    unique: bool
    range_max: int
    batch: int
    num_true: int


class Case(NamedTuple):
    """A call. `compiled` says whether a function and XLA compute it too."""

    static: Static
    seed: tuple[int, int]
    true: tuple[int, ...]
    counts: tuple[int, ...]
    compiled: bool


@st.composite
def statics(draw) -> Static:
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    law = pick(*SAMPLERS)
    range_max = pick(1, 2, 7, 40) if law == "learned" else pick(1, 2, 7, 1000, 2**31 + 1, 2**53)
    return Static(
        law, pick(1, 2, 7, 30), pick(True, False), range_max, pick(0, 1, 3), pick(1, 2)
    )  # fmt: skip


COMPILED = (
    Static("uniform", 7, True, 40, 2, 2),
    Static("log_uniform", 30, False, 2**31 + 1, 3, 1),
    Static("log_uniform", 5, True, 7, 0, 1),
    Static("learned", 3, True, 7, 2, 1),
)


@st.composite
def cases(draw) -> Case:
    compiled = draw(st.booleans())
    static = draw(st.sampled_from(COMPILED) if compiled else statics())
    size = static.range_max
    inside = st.integers(0, size - 1)
    true = st.one_of(inside, inside, inside, st.sampled_from([-1, size, 2**62, -(2**63)]))
    number = static.batch * static.num_true
    # Integers, whose sums are exact. Few are so small beside others that they never come.
    count = st.one_of(st.integers(0, 9), st.just(2**20))
    wide = size if static.law == "learned" else 0
    return Case(
        static=static,
        seed=draw(st.tuples(INT64, INT64)),
        true=tuple(draw(st.lists(true, min_size=number, max_size=number))),
        counts=tuple(draw(st.lists(count, min_size=wide, max_size=wide))),
        compiled=compiled,
    )


def step(static: Static, implementation: Any, seed, true, counts):
    s = static
    more = {"counts": counts} if s.law == "learned" else {}
    with tsc.implementation(implementation):
        return SAMPLERS[s.law](
            true, s.num_true, s.num_sampled, s.unique, s.range_max, seed, **more
        )  # fmt: skip


@functools.cache
def compiled(static: Static, implementation: Any, jit: bool):
    return tf.function(
        functools.partial(step, static, implementation), jit_compile=jit, autograph=False
    )


def naive(case: Case) -> tuple[list[int], int]:
    """Returns the classes and the tries of loops over Python's integers."""
    s = case.static
    inverse = {"uniform": naive_draws.uniform, "log_uniform": naive_draws.log_uniform}
    invert = inverse.get(s.law) or naive_draws.weighted(case.counts)
    classes: dict[int, None] = {}
    if not s.unique:
        words = itertools.islice(naive_draws.words(case.seed), s.num_sampled)
        return [invert(word, s.range_max) for word in words], s.num_sampled
    for tries, word in enumerate(itertools.islice(naive_draws.words(case.seed), MOST_TRIES), 1):
        classes.setdefault(invert(word, s.range_max))
        if len(classes) == s.num_sampled:
            return list(classes), tries
    return [], MOST_TRIES


def probability(case: Case, c: int) -> float:
    s = case.static
    if s.law == "uniform":
        return 1 / s.range_max
    if s.law == "log_uniform":
        return float(np.log1p(1 / (c + 1)) / np.log1p(float(s.range_max)))
    return case.counts[c] / sum(case.counts)


def can_draw(case: Case) -> bool:
    """Whether there are as many classes as are asked for."""
    s = case.static
    possible = s.range_max if s.law != "learned" else np.count_nonzero(case.counts)
    return bool(possible and (not s.unique or s.num_sampled <= possible))


def check(case: Case) -> None:
    """Compares all ways to draw."""
    s, drawable = case.static, can_draw(case)
    if s.unique and drawable and not (wanted := naive(case))[0]:
        return  # It takes too long for Python.
    good = np.array([0 <= c < s.range_max for c in case.true], bool).reshape(s.batch, s.num_true)
    true = tf.constant(case.true, tf.int64, [s.batch, s.num_true])
    tensors = tf.constant(case.seed, tf.int64), true, tf.constant(case.counts, tf.int64)
    ways = {w: functools.partial(step, s, w, *tensors) for w in ("fused", "composite")}
    if case.compiled:
        for name in ("fused", "composite"):
            ways[f"{name} function"] = functools.partial(compiled(s, name, False), *tensors)
    outcomes = {way: outcome(call) for way, call in ways.items()}
    refuses = not (drawable and good.all())
    if drawable or good.all():  # Of two faults a graph may meet either first.
        words = same_words(outcomes, many=True)
        assert (words is not None) == refuses, words
    assert all((each.words is not None) == refuses for each in outcomes.values()), outcomes
    assert all(each.is_argument_error for each in outcomes.values() if each.words), outcomes
    if case.compiled:
        outcomes["XLA"] = outcome(lambda: compiled(s, None, True)(*tensors))
        assert outcomes["XLA"].words is None, outcomes["XLA"].words
    for way, each in outcomes.items():
        if each.values is None:
            continue
        sampled, true_count, sampled_count = each.values
        if not drawable:
            assert np.isnan(true_count).all() and np.isnan(sampled_count).all(), way
            continue
        classes, tries = wanted if s.unique else naive(case)
        # The power of so large a range has not enough digits in float64 to name a class.
        apart = 1 if s.law == "log_uniform" and s.range_max > 2**45 else 0
        differences = np.abs(sampled - np.array(classes, np.int64))
        assert differences.max(initial=0) <= apart, f"{way}: {sampled}, not {classes}"
        counts(case, tries, sampled_count, classes, way)
        assert np.isnan(true_count[~good]).all(), f"{way}: {true_count}"
        counts(case, tries, true_count[good], np.reshape(case.true, good.shape)[good], way)


def counts(case: Case, tries: int, got: np.ndarray, classes: Any, way: str) -> None:
    """Asserts that expected counts are those of their probabilities and the tries."""
    want = [
        naive_draws.expected_count(probability(case, int(c)), case.static.num_sampled, tries)
        if probability(case, int(c)) < 1
        else 1.0
        if case.static.unique
        else float(tries)
        for c in classes
    ]
    np.testing.assert_allclose(got, want, rtol=3e-5, atol=1e-37, err_msg=way)


TARGET = Target("samplers", cases(), check, examples=80)
