"""The exact losses over all classes: all implementations agree with float64, or all refuse."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import tf_sampled_compat as tsc
from tests import reference
from tests.fuzz import arrays
from tests.fuzz.losses import DTYPES, ODD_IDS, C, joined
from tests.fuzz.outcome import outcome, same_words
from tests.fuzz.target import Target
from tests.fuzz.truth import EPS, TINY, ULPS, WILD, Bounded, close, rounding
from tests.problems import loss_and_gradients
from tests.table_pieces import pieces

LOSSES = {"softmax": tsc.nn.full_softmax_loss, "nce": tsc.nn.full_sigmoid_loss}


class Static(NamedTuple):
    """What a graph knows. K classes of the C rows count."""

    loss: str
    B: int
    T: int
    K: int
    D: int
    inputs: str
    table: str
    strategy: str
    shards: int


class Case(NamedTuple):
    """A call. `compiled` says whether a function and XLA compute it too."""

    static: Static
    seed: int
    scale: float
    odd: tuple[arrays.Odd, ...]
    compiled: bool


@st.composite
def statics(draw) -> Static:
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    inputs = pick(*DTYPES)
    return Static(
        loss=pick(*LOSSES),
        B=pick(0, 1, 2, 5),
        T=pick(1, 2, 3),
        K=pick(C, 1, 3),
        D=pick(1, 2, 5, 17),
        inputs=inputs,
        table=pick(inputs, "float32", "float64"),
        strategy=pick("div", "mod"),
        shards=pick(1, 1, 2, 3, 8),
    )


COMPILED = (
    Static("softmax", 3, 2, C, 3, "float32", "float32", "mod", 2),
    Static("nce", 2, 1, 3, 2, "float64", "float64", "div", 1),
    Static("nce", 3, 2, C, 2, "bfloat16", "float32", "div", 3),
    Static("softmax", 0, 1, 1, 2, "float16", "float16", "div", 1),
)


@st.composite
def cases(draw) -> Case:
    compiled = draw(st.booleans())
    pools = {name: arrays.ODD_NUMBERS for name in ("weights", "biases", "inputs")}
    return Case(
        static=draw(st.sampled_from(COMPILED) if compiled else statics()),
        seed=draw(st.integers(0, 2**16)),
        scale=draw(st.sampled_from([1.0, 0.0, 8.0, 40.0, 1e-3])),
        odd=draw(arrays.odd_entries({**pools, "labels": ODD_IDS})),
        compiled=compiled,
    )


class Arrays(NamedTuple):
    """The arrays of a call."""

    weights: np.ndarray
    biases: np.ndarray
    labels: np.ndarray
    inputs: np.ndarray
    upstream: np.ndarray


def made(case: Case) -> Arrays:
    s, r = case.static, np.random.RandomState(case.seed)
    made = {
        "weights": r.randn(C, s.D) * case.scale,
        "biases": r.randn(C),
        "labels": r.randint(0, s.K, (s.B, s.T)),
        "inputs": r.randn(s.B, s.D),
        "upstream": r.randn(s.B),
    }
    made = arrays.replaced(made, case.odd)
    for name, dtype in (("weights", s.table), ("biases", s.table), ("inputs", s.inputs)):
        made[name] = arrays.rounded(made[name], dtype)
    return Arrays(**{**made, "upstream": arrays.rounded(made["upstream"], s.inputs)})


def step(static: Static, implementation: Any, *tensors: tf.Tensor) -> list[tf.Tensor]:
    s, n = static, static.shards
    w, b, (labels, x, upstream) = tensors[:n], tensors[n : 2 * n], tensors[2 * n :]
    loss, (dw, db, dx) = loss_and_gradients(
        LOSSES[s.loss], list(w) if n > 1 else w[0], list(b) if n > 1 else b[0], labels, x,
        upstream, [w, b, x], num_classes=s.K, num_true=s.T, partition_strategy=s.strategy,
        implementation=implementation,
    )  # fmt: skip
    return [loss, *map(tf.convert_to_tensor, [*dw, *db, dx])]


@functools.cache
def compiled(static: Static, implementation: Any, jit: bool):
    return tf.function(
        functools.partial(step, static, implementation), jit_compile=jit, autograph=False
    )


def tensors_of(static: Static, a: Arrays) -> list[tf.Tensor]:
    s = static
    tables = [
        tf.constant(piece, s.table)
        for table in (a.weights, a.biases)
        for piece in (pieces(table, s.shards, s.strategy) if s.shards > 1 else [table])
    ]
    rest = tf.constant(a.labels), tf.constant(a.inputs, s.inputs), tf.constant(a.upstream)
    return [*tables, *rest]


class Truth(NamedTuple):
    """See `truth.Truth`."""

    loss: Bounded
    gradients: tuple[Bounded, ...]
    tame: np.ndarray
    nan: np.ndarray


def truth(case: Case, a: Arrays) -> Truth:
    """Computes it as a sampled loss whose candidates are the classes, less the true ones' terms."""
    s = case.static
    compute = EPS["float64" if s.inputs == "float64" else "float32"]
    columns = np.concatenate([a.labels, np.tile(np.arange(s.K), (s.B, 1))], axis=1)
    with np.errstate(all="ignore"):
        logits = np.einsum("bcd,bd->bc", a.weights[columns], a.inputs) + a.biases[columns]
        size = np.einsum("bcd,bd->bc", np.abs(a.weights[columns]), np.abs(a.inputs))
        size += 1 + np.abs(a.biases[columns])
        true, every = logits[:, : s.T], logits[:, s.T :]
        largest = every.max(axis=1, keepdims=True)
        if s.loss == "softmax":
            total = (largest + np.log(np.exp(every - largest).sum(axis=1, keepdims=True)))[:, 0]
            p = np.exp(every - total[:, None])
        else:
            total, p = np.logaddexp(0, every).sum(axis=1), 1 / (1 + np.exp(-every))
        loss = total - true.mean(axis=1)
        tame = (np.isfinite(logits) & (size < WILD)).all(axis=1)
        off = ULPS * compute * size.max(axis=1, initial=1)
    terms = 1 if s.loss == "softmax" else s.K
    value = Bounded(loss, rounding(off * terms, loss, s.inputs))
    nan = np.isnan(logits).any(axis=1)
    if not (tame.all() and np.isfinite(a.weights).all() and np.isfinite(a.biases).all()):
        return Truth(value, (), tame, nan)
    g = np.concatenate([np.full((s.B, s.T), -1 / s.T), p], axis=1)
    wrong = np.abs(g) * (off[:, None] + ULPS * compute) + TINY["float32"]
    wrong[:, : s.T] += EPS[s.table]  # Its entries are rounded before they are summed.
    classes = np.arange(s.K)
    sums = functools.partial(reference.gradients, labels=a.labels, sampled=classes)
    exact = sums(a.weights, inputs=a.inputs, logits_gradient=g, upstream=a.upstream)
    bounds = sums(
        np.abs(a.weights), inputs=np.abs(a.inputs), logits_gradient=wrong,
        upstream=np.abs(a.upstream),
    )  # fmt: skip
    # By a table, each class has entries that are rounded: as a true one, and as one of all.
    parts = sums(
        np.abs(a.weights), inputs=np.abs(a.inputs), logits_gradient=np.abs(g),
        upstream=np.abs(a.upstream),
    )  # fmt: skip
    dtypes = s.table, s.table, s.inputs
    return Truth(
        value,
        tuple(
            Bounded(v, rounding(e + EPS[d] * m, v, d))
            for v, e, m, d in zip(exact, bounds, parts, dtypes)
        ),
        tame,
        nan,
    )


def check(case: Case) -> None:
    """Compares all ways to compute a call."""
    s, a = case.static, made(case)
    tensors = tensors_of(s, a)
    ways = {name: functools.partial(step, s, name, *tensors) for name in ("fused", "composite")}
    if case.compiled:
        for name in ("fused", "composite"):
            ways[f"{name} function"] = functools.partial(compiled(s, name, False), *tensors)
    outcomes = {way: outcome(call) for way, call in ways.items()}
    bad = ~((a.labels >= 0) & (a.labels < C)).all(axis=1)
    words = same_words(outcomes, many=len(case.odd) > 1)
    assert (words is not None) == bad.any(), (words, bad)
    if words is None:
        for way, each in outcomes.items():
            agrees(truth(case, a), joined(s, each.values), way)
    else:
        assert all(each.is_argument_error for each in outcomes.values()), words
    if case.compiled:
        xla = outcome(lambda: compiled(s, None, True)(*tensors))
        assert xla.words is None, xla.words
        loss = joined(s, xla.values)
        assert np.isnan(loss[0][bad]).all(), f"XLA: bad rows {bad}, losses {loss[0]}"
        mended = a._replace(labels=np.where(bad[:, None], 0, a.labels))
        want = truth(case, mended)
        close(loss[0], want.loss, want.tame & ~bad)
        if not bad.any():
            agrees(want, loss, "XLA")


def agrees(want: Truth, got: list[np.ndarray], way: str) -> None:
    """Asserts that losses and gradients are float64's, row by row if some are not finite."""
    loss, *gradients = got
    try:
        close(loss, want.loss, want.tame)
        assert not np.isfinite(loss[want.nan]).any(), "a NaN logit, and yet a loss"
        for mine, true in zip(gradients, want.gradients):
            close(mine, true)
    except AssertionError as error:
        raise AssertionError(f"{way}: {error}") from None


TARGET = Target("full", cases(), check, examples=80)
