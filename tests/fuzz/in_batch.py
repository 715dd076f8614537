"""The in-batch loss of two towers: all implementations agree with float64, or all refuse."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, Optional

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import tf_sampled_compat as tsc
from tests import reference
from tests.fuzz import arrays
from tests.fuzz.losses import DTYPES, are_counts
from tests.fuzz.outcome import outcome, same_words
from tests.fuzz.target import Target
from tests.fuzz.truth import EPS, ULPS, WILD, Bounded, close, rounding

ITEMS = 4


class Static(NamedTuple):
    """What a graph knows. K extra candidates, None for none."""

    B: int
    K: Optional[int]
    D: int
    ids: bool
    hits: bool
    mask: bool
    probability: bool
    dtype: str


class Case(NamedTuple):
    """A call. `compiled` says whether a function and XLA compute it too."""

    static: Static
    seed: int
    temperature: float
    odd: tuple[arrays.Odd, ...]
    compiled: bool


@st.composite
def statics(draw) -> Static:
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    return Static(
        B=pick(0, 1, 2, 5),
        K=pick(None, 0, 1, 3),
        D=pick(1, 2, 5, 17),
        ids=pick(True, False),
        hits=pick(True, False),
        mask=pick(False, True),
        probability=pick(True, False),
        dtype=pick(*DTYPES),
    )


COMPILED = (
    Static(3, None, 2, True, True, False, True, "float32"),
    Static(3, 2, 3, True, True, True, True, "float64"),
    Static(2, 1, 2, False, True, False, False, "bfloat16"),
)


@st.composite
def cases(draw) -> Case:
    compiled = draw(st.booleans())
    static = draw(st.sampled_from(COMPILED) if compiled else statics())
    pools = {"queries": arrays.ODD_NUMBERS, "candidates": arrays.ODD_NUMBERS}
    if static.probability:
        pools["probability"] = arrays.ODD_COUNTS
    return Case(
        static=static,
        seed=draw(st.integers(0, 2**16)),
        temperature=draw(
            st.sampled_from([1.0, 0.0625, 20.0, 0.0, -1.0, float("nan"), float("inf")])
        ),
        odd=draw(arrays.odd_entries(pools)),
        compiled=compiled,
    )


def made(case: Case) -> dict[str, np.ndarray]:
    s, r = case.static, np.random.RandomState(case.seed)
    N = s.B + (s.K or 0)
    made = {
        "queries": r.randn(s.B, s.D),
        "candidates": r.randn(N, s.D),
        "probability": r.uniform(0.01, 1, N),
    }
    made = arrays.replaced(made, case.odd)
    for name, dtype in zip(made, (s.dtype, s.dtype, "float32")):
        made[name] = arrays.rounded(made[name], dtype)
    made["ids"] = r.randint(0, ITEMS, N)
    made["mask"] = r.rand(s.B) < 0.7
    made["upstream"] = arrays.rounded(r.randn(s.B), s.dtype)
    return made


def step(static: Static, implementation: Any, queries, candidates, temperature, rest):
    """Returns the loss, and its gradients by queries, candidates and temperature."""
    s, more = static, {}
    own, extra = candidates[: s.B], candidates[s.B :]
    with tf.GradientTape() as tape:
        watched = [queries, own, extra, temperature]
        tape.watch(watched)
        if s.K is not None:
            more["extra_candidates"] = extra
        if s.ids:
            more["candidate_ids"] = rest["ids"][: s.B]
            if s.K is not None:
                more["extra_ids"] = rest["ids"][s.B :]
        if s.probability:
            more["candidate_sampling_probability"] = rest["probability"]
        if s.mask:
            more["mask"] = rest["mask"]
        loss = tsc.nn.in_batch_softmax_loss(
            queries, own, remove_accidental_hits=s.hits, temperature=temperature,
            implementation=implementation, **more,
        )  # fmt: skip
        total = tf.reduce_sum(tf.cast(loss, tf.float64) * rest["upstream"])
    gradients = tape.gradient(total, watched, unconnected_gradients="zero")
    return [loss, gradients[0], tf.concat(gradients[1:3], axis=0), gradients[3]]


@functools.cache
def compiled(static: Static, implementation: Any, jit: bool):
    return tf.function(
        functools.partial(step, static, implementation), jit_compile=jit, autograph=False
    )


class Truth(NamedTuple):
    """The loss, its gradients by queries and candidates if all is tame, and which rows are."""

    loss: Bounded
    gradients: tuple[Bounded, ...]
    tame: np.ndarray


def truth(case: Case, a: dict[str, np.ndarray]) -> Truth:
    s, N = case.static, len(a["candidates"])
    present = np.ones(N, bool)
    if s.mask:
        present[: s.B] = a["mask"]
    ids = a["ids"] if s.ids and s.hits else np.arange(N)
    counts = a["probability"] if s.probability else np.ones(N)
    c = np.where(present[:, None], a["candidates"], 0)
    q = np.where(present[: s.B, None], a["queries"], 0)
    compute = EPS["float64" if s.dtype == "float64" else "float32"]
    with np.errstate(all="ignore"):
        loss, *exact, _ = reference.in_batch_loss(
            q, c, ids, counts, case.temperature, present, a["upstream"]
        )
        size = 1 + np.abs(q) @ np.abs(c).T / case.temperature + np.abs(np.log(counts))
    size = np.where(present, size, 0)
    tame = (np.isfinite(size) & (size < WILD)).all(axis=1) | ~present[: s.B]
    off = ULPS * compute * size.max(axis=1, initial=1)
    value = Bounded(loss, rounding(off, loss, s.dtype))
    if not (tame.all() and np.isfinite(q).all() and np.isfinite(c).all()):
        return Truth(value, (), tame)
    # Each probability is off by `off`, and no sum of them is more than 2.
    up = (np.abs(a["upstream"]) * off)[:, None] / case.temperature
    bounds = up * 2 * np.abs(c).max(initial=0), (up * np.abs(q)).sum(axis=0) * 2
    bounds = np.broadcast_to(bounds[0], q.shape), np.broadcast_to(bounds[1], c.shape)
    return Truth(
        value, tuple(Bounded(v, rounding(e, v, s.dtype)) for v, e in zip(exact, bounds)), tame
    )


def check(case: Case) -> None:
    """Compares all ways to compute a call."""
    s, a = case.static, made(case)
    rest = {name: tf.constant(a[name]) for name in ("ids", "mask", "upstream")}
    rest["probability"] = tf.constant(a["probability"], tf.float32)
    tensors = [tf.constant(a[name], s.dtype) for name in ("queries", "candidates")]
    tensors += [tf.constant(case.temperature), rest]
    ways = {name: functools.partial(step, s, name, *tensors) for name in ("fused", "composite")}
    if case.compiled:
        for name in ("fused", "composite"):
            ways[f"{name} function"] = functools.partial(compiled(s, name, False), *tensors)
    outcomes = {way: outcome(call) for way, call in ways.items()}
    cold = not (case.temperature > 0 and np.isfinite(case.temperature))
    there = np.ones(len(a["candidates"]), bool)
    if s.mask:
        there[: s.B] = a["mask"]
    bad = s.probability & ~are_counts(a["probability"]) & there
    words = outcomes["fused"].words
    if not (cold and bad.any()):  # Of two faults a graph may meet either first.
        words = same_words(outcomes, many=len(case.odd) > 1)
    assert (words is not None) == (cold or bool(bad.any())), (words, bad, case.temperature)
    if words is None:
        want = truth(case, a)
        for way, each in outcomes.items():
            agrees(want, each.values, way)
    else:
        assert all(each.is_argument_error for each in outcomes.values()), outcomes
    if not case.compiled:
        return
    xla = outcome(lambda: compiled(s, None, True)(*tensors))
    assert xla.words is None, xla.words
    loss = np.asarray(xla.values[0], np.float64)
    rows = there[: s.B]
    if cold:
        assert np.isnan(loss[rows]).all(), f"XLA: temperature {case.temperature}, losses {loss}"
    elif bad.any():
        hits = s.hits & s.ids & (a["ids"][: s.B, None] == a["ids"])
        hits &= ~np.eye(s.B, len(bad), dtype=bool)
        hurt = rows & (bad & ~hits).any(axis=1)
        assert np.isnan(loss[hurt]).all(), f"XLA: bad counts {bad}, losses {loss}"
    else:
        agrees(truth(case, a), xla.values, "XLA")


def agrees(want: Truth, got: list[np.ndarray], way: str) -> None:
    """Asserts that losses and gradients are float64's, row by row if some are not finite."""
    try:
        close(got[0], want.loss, want.tame)
        for mine, true in zip(got[1:3], want.gradients):
            close(mine, true)
    except AssertionError as error:
        raise AssertionError(f"{way}: {error}") from None


TARGET = Target(
    "in_batch",
    cases(),
    check,
    # XLA divided by a negative temperature, and took an infinite count.
    kept=(
        Case(COMPILED[0], 0, -1.0, (), True),
        Case(COMPILED[0], 0, 1.0, (arrays.Odd("probability", 1, np.inf),), True),
    ),
    examples=80,
)
