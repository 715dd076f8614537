"""The sampled losses on given candidates: all implementations agree with float64, or all refuse."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import tf_sampled_compat as tsc
from tests.fuzz import arrays, truth
from tests.fuzz.arrays import Odd
from tests.fuzz.outcome import outcome, same_words
from tests.fuzz.target import Target
from tests.problems import Problem, dense, loss_and_gradients
from tests.table_pieces import pieces, whole

C = 7
LOSSES = {
    "softmax": (tsc.nn.sampled_softmax_loss, "softmax"),
    "nce": (tsc.nn.nce_loss, "nce"),
    "sparse": (tsc.nn.sampled_sparse_softmax_loss, "softmax"),
}
DTYPES = ("float32", "float64", "float16", "bfloat16")
ODD_IDS = (-1, C, C + 3, 2**31 + 1, 2**53 + 1, 2**63 - 1, -(2**63))
BY_ROW, BY_TABLE = ("labels", "true_count"), ("sampled", "sampled_count")


class Static(NamedTuple):
    """What a graph knows."""

    loss: str
    B: int
    T: int
    S: int
    D: int
    hits: bool
    inputs: str
    table: str
    strategy: str
    shards: int


class Case(NamedTuple):
    """A call. `compiled` says whether a function and XLA compute it too."""

    static: Static
    seed: int
    scale: float
    odd: tuple[Odd, ...]
    compiled: bool


@st.composite
def statics(draw, sizes=(0, 1, 2, 5)) -> Static:
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    loss = pick(*LOSSES)
    inputs, hits = pick(*DTYPES), pick(True, False)
    return Static(
        loss=loss,
        B=pick(*sizes),
        T=1 if loss == "sparse" else pick(1, 2, 3),
        # The losses that find hits want as many candidates as they ask for, and so one at least.
        S=pick(1, 3, 6, 17) if hits else pick(0, 1, 3, 6, 17),
        D=pick(1, 2, 5, 17),
        hits=hits,
        inputs=inputs,
        table=pick(inputs, "float32", "float64"),
        strategy=pick("div", "mod"),
        shards=pick(1, 1, 2, 3, 8),
    )


# Compilation takes a second, so that few calls are compiled, each with many values.
COMPILED = (
    Static("softmax", 3, 2, 6, 3, True, "float32", "float32", "div", 1),
    Static("nce", 2, 1, 3, 2, True, "float64", "float64", "mod", 3),
    Static("sparse", 3, 1, 4, 2, True, "bfloat16", "float32", "div", 2),
    Static("softmax", 1, 3, 1, 1, False, "float16", "float16", "div", 5),
    Static("nce", 0, 2, 3, 2, True, "float32", "float32", "div", 1),
    Static("softmax", 2, 1, 0, 2, False, "float32", "float32", "mod", 2),
)


@st.composite
def cases(draw) -> Case:
    compiled = draw(st.booleans())
    return Case(
        static=draw(st.sampled_from(COMPILED) if compiled else statics()),
        seed=draw(st.integers(0, 2**16)),
        scale=draw(st.sampled_from([1.0, 0.0, 8.0, 40.0, 1e-3])),
        odd=draw(
            arrays.odd_entries(
                {
                    "weights": arrays.ODD_NUMBERS,
                    "biases": arrays.ODD_NUMBERS,
                    "inputs": arrays.ODD_NUMBERS,
                    "labels": ODD_IDS,
                    "sampled": ODD_IDS,
                    "true_count": arrays.ODD_COUNTS,
                    "sampled_count": arrays.ODD_COUNTS,
                }
            )
        ),
        compiled=compiled,
    )


def made(case: Case) -> Problem:
    """Makes the arrays: float64, but each number is one of its dtype."""
    s, r = case.static, np.random.RandomState(case.seed)
    made = {
        "weights": r.randn(C, s.D) * case.scale,
        "biases": r.randn(C),
        "labels": r.randint(0, C, (s.B, s.T)),
        "inputs": r.randn(s.B, s.D),
        "sampled": r.randint(0, C, s.S),
        "true_count": r.uniform(1e-3, 1, (s.B, s.T)),
        "sampled_count": r.uniform(1e-3, 1, s.S),
    }
    made = arrays.replaced(made, case.odd)
    dtypes = {
        "weights": s.table,
        "biases": s.table,
        "inputs": s.inputs,
        "true_count": "float32",
        "sampled_count": "float32",
    }
    for name, dtype in dtypes.items():
        made[name] = arrays.rounded(made[name], dtype)
    return Problem(**made, upstream=arrays.rounded(r.randn(s.B), s.inputs))


def step(static: Static, implementation: Any, *tensors: tf.Tensor) -> list[tf.Tensor]:
    """Returns the loss, and its gradients by the pieces of the tables and the inputs."""
    s, n = static, static.shards
    w, b, (labels, x, *values, upstream) = tensors[:n], tensors[n : 2 * n], tensors[2 * n :]
    more = {} if s.loss == "sparse" else {"num_true": s.T}
    with tsc.gradient_slices("unique"):
        loss, (dw, db, dx) = loss_and_gradients(
            LOSSES[s.loss][0], list(w) if n > 1 else w[0], list(b) if n > 1 else b[0], labels, x,
            upstream, [w, b, x], num_sampled=max(s.S, 1), num_classes=C, sampled_values=values,
            remove_accidental_hits=s.hits, partition_strategy=s.strategy,
            implementation=implementation, **more,
        )  # fmt: skip
    return [loss, *map(tf.convert_to_tensor, [*dw, *db, dx])]


@functools.cache
def compiled(static: Static, implementation: Any, jit: bool):
    """Returns the step as a function, which is traced once."""
    return tf.function(
        functools.partial(step, static, implementation), jit_compile=jit, autograph=False
    )


def tensors_of(static: Static, p: Problem) -> list[tf.Tensor]:
    s = static
    tables = [
        tf.constant(piece, s.table)
        for table in (p.weights, p.biases)
        for piece in (pieces(table, s.shards, s.strategy) if s.shards > 1 else [table])
    ]
    counts = [tf.constant(count, tf.float32) for count in (p.true_count, p.sampled_count)]
    return [
        *tables, tf.constant(p.labels), tf.constant(p.inputs, s.inputs), tf.constant(p.sampled),
        *counts, tf.constant(p.upstream),
    ]  # fmt: skip


def joined(static: Static, values: list[Any]) -> list[np.ndarray]:
    """Returns the loss, and the gradients by whole tables and inputs, in float64."""
    loss, *gradients, dx = [dense(tf.convert_to_tensor(value)) for value in values]
    n = static.shards
    parts = gradients[:n], gradients[n:]
    dw, db = (whole(part, static.strategy) if n > 1 else part[0] for part in parts)
    return [loss, dw, db, dx]


def check(case: Case) -> None:
    """Compares all ways to compute a call."""
    s, p = case.static, made(case)
    tensors = tensors_of(s, p)
    ways = {
        "fused": lambda: step(s, "fused", *tensors),
        "composite": lambda: step(s, "composite", *tensors),
    }
    if case.compiled:
        ways["fused function"] = lambda: compiled(s, "fused", False)(*tensors)
        ways["composite function"] = lambda: compiled(s, "composite", False)(*tensors)
    outcomes = {way: outcome(call) for way, call in ways.items()}
    bad_rows, bad_table = faults(p)
    if len(case.odd) > 1:  # Of two faults a graph may meet either first.
        words = same_words({way: outcomes[way] for way in ("fused", "composite")})
        assert len({each.words is None for each in outcomes.values()}) == 1, outcomes
    else:
        words = same_words(outcomes)
    if words is not None:
        assert all(each.is_argument_error for each in outcomes.values()), words
        assert bad_rows.any() or bad_table, words
    else:
        assert not (bad_rows.any() or bad_table), "bad values were accepted"
        for way, each in outcomes.items():
            agrees(case, p, joined(s, each.values), way)
    if case.compiled:
        xla = outcome(lambda: compiled(s, None, True)(*tensors))
        assert xla.words is None, xla.words
        agrees_under_xla(case, p, joined(s, xla.values), bad_rows, bad_table)


def are_ids(ids: np.ndarray) -> np.ndarray:
    return (ids >= 0) & (ids < C)


def are_counts(counts: np.ndarray) -> np.ndarray:
    return (counts > 0) & np.isfinite(counts)


def good_columns(p: Problem) -> np.ndarray:
    return are_ids(p.sampled) & are_counts(p.sampled_count)


def faults(p: Problem) -> tuple[np.ndarray, bool]:
    """Returns the rows whose labels or counts are bad, and whether a candidate's are."""
    good = are_ids(p.labels).all(axis=1) & are_counts(p.true_count).all(axis=1)
    return ~good, not good_columns(p).all()


def expected(case: Case, p: Problem, way: str) -> truth.Truth:
    s = case.static
    kind, by_occurrence = LOSSES[s.loss][1], way == "XLA"
    return truth.sampled(kind, p, s.hits, s.inputs, s.table, by_occurrence)


def agrees(case: Case, p: Problem, got: list[np.ndarray], way: str) -> None:
    """Asserts that losses and gradients are float64's, row by row if some are not finite."""
    want = expected(case, p, way)
    try:
        loss, *gradients = got
        truth.close(loss, want.loss, want.tame)
        assert not np.isfinite(loss[want.nan]).any(), "a NaN logit, and yet a loss"
        if want.gradients is not None:
            for name, mine, true in zip(("weights", "biases", "inputs"), gradients, want.gradients):
                try:
                    truth.close(mine, true)
                except AssertionError as error:
                    raise AssertionError(f"gradient by {name}: {error}") from None
    except AssertionError as error:
        raise AssertionError(f"{way}: {error}") from None


def agrees_under_xla(case, p, got, bad_rows, bad_table) -> None:
    """Asserts that a row with a bad value is NaN, and that each other row is as ever."""
    if bad_table:
        # A candidate that is a true class of the row is not in its loss.
        removed = case.static.hits & (p.labels[:, :, None] == p.sampled).any(axis=1)
        bad_rows = bad_rows | ~(removed | good_columns(p)).all(axis=1)
    assert np.isnan(got[0][bad_rows]).all(), f"XLA: bad rows {bad_rows}, losses {got[0]}"
    if not (bad_rows.any() or bad_table):
        agrees(case, p, got, "XLA")
    elif not bad_table:
        labels = np.where(bad_rows[:, None], 0, p.labels)
        true_count = np.where(bad_rows[:, None], 1.0, p.true_count)
        want = expected(case, p._replace(labels=labels, true_count=true_count), "XLA")
        truth.close(got[0], want.loss, want.tame & ~bad_rows)


def kept(*odd: Odd) -> Case:
    return Case(COMPILED[0], 1, 1.0, odd, True)


TARGET = Target(
    "losses",
    cases(),
    check,
    kept=(
        # A class that is ruled out made all losses of the composite NaN.
        kept(Odd("biases", 0, -np.inf)),
        # XLA took the last class, a class that is certain, and one that is impossible.
        kept(Odd("sampled", 0, -1)),
        kept(Odd("sampled_count", 0, 0.0)),
        kept(Odd("true_count", 3, np.inf)),
    ),
    examples=120,
)
