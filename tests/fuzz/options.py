"""Padding, exclusion and TAPAS: every implementation gives the same, or all refuse.

A row with padding has the loss that it has alone, with its true classes and no padding.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, Optional

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import tf_sampled_compat as tsc
from tests.fuzz.outcome import outcome, same_words
from tests.fuzz.target import Target
from tests.problems import dense, loss_and_gradients

C, D = 9, 3
LOSSES = {
    "softmax": tsc.nn.sampled_softmax_loss,
    "nce": tsc.nn.nce_loss,
    "sparse": tsc.nn.sampled_sparse_softmax_loss,
    "rank": tsc.nn.rank_sampled_softmax_loss,
}
# The loss and its gradients in float32, in any order of additions.
RTOL = 1e-4


class Static(NamedTuple):
    """What a graph knows."""

    loss: str
    B: int
    T: int
    S: int
    hits: bool
    padding: Optional[int]
    exclude_true: bool


class Case(NamedTuple):
    """A call. `compiled` says whether a function and XLA compute it too."""

    static: Static
    seed: int
    temperature: float
    bad_label: Optional[tuple[int, int]]
    compiled: bool


@st.composite
def statics(draw) -> Static:
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    loss = pick(*LOSSES)
    T = 1 if loss == "sparse" else pick(1, 2, 3)
    S = pick(2, 5) if loss == "rank" else pick(1, 2, 6)
    return Static(
        loss, pick(0, 1, 4), T, S, pick(True, False), pick(None, -1, 0, C, 2**40),
        pick(True, False),
    )  # fmt: skip


COMPILED = (
    Static("rank", 3, 2, 5, True, None, False),
    Static("softmax", 3, 2, 6, True, -1, True),
    Static("nce", 2, 3, 2, True, 0, False),
    Static("rank", 2, 1, 4, False, 0, True),
)


@st.composite
def cases(draw) -> Case:
    compiled = draw(st.booleans())
    bad = st.tuples(st.integers(0, 20), st.sampled_from([-2, C + 1, 2**62]))
    return Case(
        static=draw(st.sampled_from(COMPILED) if compiled else statics()),
        seed=draw(st.integers(0, 2**16)),
        temperature=draw(st.sampled_from([1.0, 0.1, 7.0, 0.0, -2.0, float("nan")])),
        bad_label=draw(st.one_of(st.none(), st.none(), bad)),
        compiled=compiled,
    )


class Arrays(NamedTuple):
    """The arrays of a call."""

    weights: np.ndarray
    biases: np.ndarray
    labels: np.ndarray
    inputs: np.ndarray
    sampled: np.ndarray
    true_count: np.ndarray
    sampled_count: np.ndarray


def made(case: Case) -> Arrays:
    s, r = case.static, np.random.RandomState(case.seed)
    labels = r.randint(0, C, (s.B, s.T))
    if s.padding is not None:
        labels[r.rand(s.B, s.T) < 0.4] = s.padding
    if case.bad_label and labels.size:
        place, value = case.bad_label
        labels.reshape(-1)[place % labels.size] = value
    # Equal scores of TAPAS have no order, so that no candidate comes twice.
    sampled = r.choice(C, s.S, replace=s.loss != "rank")
    f = lambda *shape: r.randn(*shape).astype("f")  # noqa: E731
    counts = r.uniform(0.05, 0.9 / s.T, (s.B, s.T)), r.uniform(0.05, 1, s.S)
    return Arrays(f(C, D), f(C), labels, f(s.B, D), sampled, *(c.astype("f") for c in counts))


def step(static: Static, implementation: Any, temperature: tf.Tensor, *arrays: tf.Tensor):
    """Returns the loss, and its gradients by table, biases and inputs."""
    s = static
    w, b, labels, x, *values = arrays
    more: dict[str, Any] = {} if s.loss == "sparse" else {"num_true": s.T}
    if s.loss == "rank":
        more |= {"num_resampled": s.S - 1, "resampling_temperature": temperature}
    loss, gradients = loss_and_gradients(
        LOSSES[s.loss], w, b, labels, x, tf.range(1.0, s.B + 1), [w, b, x], num_sampled=s.S,
        num_classes=C, sampled_values=values, remove_accidental_hits=s.hits,
        partition_strategy="div", padding_label=s.padding, exclude_true=s.exclude_true,
        implementation=implementation, **more,
    )  # fmt: skip
    return [loss, *map(tf.convert_to_tensor, gradients)]


@functools.cache
def compiled(static: Static, implementation: Any, jit: bool):
    return tf.function(
        functools.partial(step, static, implementation), jit_compile=jit, autograph=False
    )


def check(case: Case) -> None:
    """Compares all ways to compute a call."""
    s, a = case.static, made(case)
    tensors = [tf.constant(case.temperature), *map(tf.constant, a)]
    names = (None, "composite")
    ways = {str(name): functools.partial(step, s, name, *tensors) for name in names}
    if case.compiled:
        for name in names:
            ways[f"{name}, function"] = functools.partial(compiled(s, name, False), *tensors)
    outcomes = {way: outcome(call) for way, call in ways.items()}
    is_true = np.ones_like(a.labels, bool) if s.padding is None else a.labels != s.padding
    bad_rows = (is_true & ~((a.labels >= 0) & (a.labels < C))).any(axis=1)
    cold = s.loss == "rank" and not case.temperature > 0
    if not (cold and bad_rows.any()):  # Of two faults a graph may meet either first.
        words = same_words(outcomes)
        assert (words is not None) == (cold or bool(bad_rows.any())), words
    if case.compiled:
        xla = outcome(lambda: compiled(s, None, True)(*tensors))
        assert xla.words is None, xla.words
        lost = xla.values[0][bad_rows | (cold & is_true.any(axis=1))]
        assert np.isnan(lost).all(), f"XLA: {xla.values[0]}"
        outcomes["XLA"] = xla
    if cold or bad_rows.any():
        return
    first, *others = ([dense(tf.convert_to_tensor(v)) for v in o.values] for o in outcomes.values())
    for way, other in zip(list(outcomes)[1:], others):
        for one, another in zip(first, other):
            np.testing.assert_allclose(another, one, rtol=RTOL, atol=RTOL, err_msg=way)
    if s.padding is not None and s.loss != "rank" and not s.exclude_true:
        alone(s, a, is_true, first[0])


def alone(static: Static, a: Arrays, is_true: np.ndarray, losses: np.ndarray) -> None:
    """Asserts that each row has the loss of its true classes."""
    for i, there in enumerate(is_true):
        T = int(there.sum())
        if T == 0:
            if static.loss != "nce":
                assert losses[i] == 0, losses
            continue
        row = slice(i, i + 1)
        part = a._replace(
            labels=a.labels[row, there],
            inputs=a.inputs[row],
            true_count=a.true_count[row, there],
        )
        one = static._replace(B=1, T=T, padding=None)
        loss = step(one, "composite", tf.constant(1.0), *map(tf.constant, part))[0]
        np.testing.assert_allclose(losses[i], loss[0], rtol=RTOL, atol=RTOL)


TARGET = Target("options", cases(), check, examples=60)
