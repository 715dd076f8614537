"""`full_top_k`: all implementations rank as Python loops do, or all refuse."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, Optional

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import tf_sampled_compat as tsc
from tests.fuzz import arrays
from tests.fuzz.losses import DTYPES, ODD_IDS, C
from tests.fuzz.outcome import outcome, same_words
from tests.fuzz.target import Target
from tests.table_pieces import pieces


class Static(NamedTuple):
    """What a graph knows. K classes of the C rows count; n and m ids are excluded and allowed."""

    B: int
    D: int
    K: int
    k: int
    n: Optional[int]
    m: Optional[int]
    dtype: str
    strategy: str
    shards: int


class Case(NamedTuple):
    """A call. `compiled` says whether a function and XLA compute it too."""

    static: Static
    seed: int
    odd: tuple[arrays.Odd, ...]
    compiled: bool


@st.composite
def statics(draw) -> Static:
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    K = pick(C, 1, 3)
    return Static(
        B=pick(0, 1, 2, 5),
        D=pick(1, 2, 5),
        K=K,
        k=draw(st.integers(1, K + 1)),
        n=pick(None, None, 0, 1, 4, 9),
        m=pick(None, None, 0, 1, 4, 9),
        dtype=pick(*DTYPES),
        strategy=pick("div", "mod"),
        shards=pick(1, 1, 2, 3, 8),
    )


COMPILED = (
    Static(3, 2, C, 3, None, None, "float32", "div", 1),
    Static(2, 2, C, 7, 2, None, "float64", "mod", 3),
    Static(2, 3, C, 2, 1, 4, "bfloat16", "div", 2),
    Static(0, 2, 3, 1, None, 3, "float16", "div", 1),
)
ODD = (float("nan"), float("inf"), float("-inf"), 0.0, -0.0)


@st.composite
def cases(draw) -> Case:
    compiled = draw(st.booleans())
    static = draw(st.sampled_from(COMPILED) if compiled else statics())
    pools = {"weights": ODD, "biases": ODD, "inputs": ODD}
    if static.n is not None:
        pools["exclude"] = ODD_IDS
    if static.m is not None:
        pools["allowed"] = ODD_IDS
    seed = draw(st.integers(0, 2**16))
    return Case(static, seed, draw(arrays.odd_entries(pools)), compiled)


def made(case: Case) -> dict[str, np.ndarray]:
    """Makes arrays of small whole numbers: logits are exact in each dtype, and many are equal."""
    s, r = case.static, np.random.RandomState(case.seed)
    made = {
        "weights": r.randint(-2, 3, (C, s.D)).astype(float),
        "biases": r.randint(-2, 3, C).astype(float),
        "inputs": r.randint(-2, 3, (s.B, s.D)).astype(float),
    }
    if s.n is not None:
        made["exclude"] = r.randint(-1, s.K, (s.B, s.n))
    if s.m is not None:
        made["allowed"] = r.randint(0, s.K, s.m)
    return arrays.replaced(made, case.odd)


def find(static: Static, implementation: Any, names: tuple[str, ...], *tensors: tf.Tensor):
    s, n = static, static.shards
    w, b, (x, *rest) = tensors[:n], tensors[n : 2 * n], tensors[2 * n :]
    return tsc.nn.full_top_k(
        list(w) if n > 1 else w[0], list(b) if n > 1 else b[0], x, s.k, s.K,
        partition_strategy=s.strategy, implementation=implementation, **dict(zip(names, rest)),
    )  # fmt: skip


@functools.cache
def compiled(static: Static, implementation: Any, names: tuple[str, ...], jit: bool):
    call = functools.partial(find, static, implementation, names)
    return tf.function(call, jit_compile=jit, autograph=False)


def ranking(case: Case, a: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the logits and ids; a NaN ranks as -∞."""
    s = case.static
    values, ids = np.full((s.B, s.k), -np.inf), np.full((s.B, s.k), -1)
    with np.errstate(all="ignore"):
        logits = a["inputs"] @ a["weights"].T + a["biases"]
    logits[np.isnan(logits)] = -np.inf
    for i, row in enumerate(logits):
        left = [
            c
            for c in range(s.K)
            if ("allowed" not in a or c in a["allowed"])
            and ("exclude" not in a or c not in a["exclude"][i])
        ]
        best = sorted(left, key=lambda c: (-row[c], c))[: s.k]
        values[i, : len(best)], ids[i, : len(best)] = row[best], best
    return values, ids


def check(case: Case) -> None:
    """Compares all ways to rank."""
    s, a = case.static, made(case)
    names = tuple(name for name in ("exclude", "allowed") if name in a)
    tables = [
        tf.constant(piece, s.dtype)
        for table in (a["weights"], a["biases"])
        for piece in (pieces(table, s.shards, s.strategy) if s.shards > 1 else [table])
    ]
    tensors = [*tables, tf.constant(a["inputs"], s.dtype), *(tf.constant(a[n]) for n in names)]
    ways = {w: functools.partial(find, s, w, names, *tensors) for w in ("fused", "composite")}
    if case.compiled:
        for name in ("fused", "composite"):
            ways[f"{name} function"] = functools.partial(compiled(s, name, names, False), *tensors)
    outcomes = {way: outcome(call) for way, call in ways.items()}
    words = same_words(outcomes, many=len(case.odd) > 1)
    bad_ids = "allowed" in a and not ((a["allowed"] >= 0) & (a["allowed"] < s.K)).all()
    assert (words is not None) == (s.k > s.K or bad_ids), (words, s.k, s.K)
    if words is not None:
        assert all(each.is_argument_error for each in outcomes.values()), words
    values, ids = ranking(case, a)
    if case.compiled and not bad_ids:
        outcomes["XLA"] = outcome(lambda: compiled(s, None, names, True)(*tensors))
    for way, each in outcomes.items():
        if each.values is None:
            assert way != "XLA" or words is not None, each.words
            continue
        mine, mine_ids = np.asarray(each.values[0], np.float64), each.values[1]
        assert mine.shape == values.shape, way
        chance = values > -np.inf
        assert np.array_equal(mine[chance], values[chance]), f"{way}: {mine}, not {values}"
        # Which of the classes without a chance come last is not promised.
        assert not (mine[~chance] > -np.inf).any(), f"{way}: {mine}, not {values}"
        assert np.array_equal(mine_ids[chance], ids[chance]), f"{way}: {mine_ids}, not {ids}"
        assert ((mine_ids >= -1) & (mine_ids < s.K)).all(), f"{way}: no class: {mine_ids}"


TARGET = Target("top_k", cases(), check, examples=80)
