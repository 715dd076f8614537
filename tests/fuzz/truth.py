"""The sampled losses in float64, and how far a computation in another dtype may be from them.

The bounds are those of a rounded sum: so many units in the last place of what is added up. A result
in a 16-bit dtype is computed in float32 and rounded once.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

import ml_dtypes
import numpy as np

from tests import reference

EPS = {
    "float64": np.finfo(np.float64).eps,
    "float32": np.finfo(np.float32).eps,
    "float16": np.finfo(np.float16).eps,
    "bfloat16": float(ml_dtypes.finfo("bfloat16").eps),
}
# The smallest number that each can hold: below it, all is lost.
TINY = {"float64": 1e-300, "float32": 1e-37, "float16": 6e-8, "bfloat16": 1e-37}
LARGEST = {"float64": 1e307, "float32": 3e38, "float16": 65504.0, "bfloat16": 3e38}
# Units in the last place, as in tests/nn/test_numerics.py.
ULPS = 64
# A logit beyond this may overflow on the way, in another order of additions.
WILD = 1e30


class Bounded(NamedTuple):
    """A value, and the largest error that is no fault."""

    value: np.ndarray
    error: np.ndarray


class Truth(NamedTuple):
    """The results of a loss.

    Attributes:
      loss: `[B]`.
      gradients: By weights, biases and inputs; None if one is not finite.
      tame: `[B]`: whether all logits of a row are finite and of a size that cannot overflow.
      nan: `[B]`: whether a logit of the row is NaN.
    """

    loss: Bounded
    gradients: Optional[tuple[Bounded, ...]]
    tame: np.ndarray
    nan: np.ndarray


def sampled(
    kind: str, p, hits: bool, inputs: str, table: str, by_occurrence: bool = False
) -> Truth:
    """Computes a loss ("softmax" or "nce") of a `problems.Problem`.

    By a table the gradient of each class is rounded once, or each occurrence of a class is.
    """
    compute = "float64" if inputs == "float64" else "float32"
    T = p.labels.shape[1]
    with np.errstate(all="ignore"):
        logits = reference.logits(
            p.weights, p.biases, p.labels, p.inputs, p.sampled, p.true_count, p.sampled_count, hits
        )
        loss, g = getattr(reference, f"{kind}_loss")(logits, T)
        columns = np.concatenate(
            [p.labels, np.broadcast_to(p.sampled, (len(p.labels), len(p.sampled)))], axis=1
        )
        counts = np.concatenate(
            [p.true_count, np.broadcast_to(p.sampled_count, (len(p.labels), len(p.sampled)))],
            axis=1,
        )
        terms = np.einsum("bcd,bd->bc", np.abs(p.weights[columns]), np.abs(p.inputs))
        size = 1 + terms + np.abs(p.biases[columns]) + np.abs(np.log(counts))
    counted = ~np.isneginf(logits) if hits else np.ones_like(logits, bool)
    counted[:, :T] = True
    tame = np.where(counted, np.isfinite(logits) & (size < WILD), True).all(axis=1)
    nan = (counted & np.isnan(logits)).any(axis=1)
    # How far a logit may be off, and so a probability: relative to itself.
    off = ULPS * EPS[compute] * np.where(counted, size, 0).max(axis=1, initial=1)[:, None]
    terms = 1 if kind == "softmax" else logits.shape[1]
    value = Bounded(loss, rounding(off[:, 0] * terms, loss, inputs))
    if not (tame.all() and np.isfinite(p.weights).all() and np.isfinite(p.biases).all()):
        return Truth(value, None, tame, nan)
    target = (np.arange(logits.shape[1]) < T) / T
    g_error = off * (np.abs(g + target) + target) + TINY[compute]
    g_error += ULPS * EPS[compute] * np.abs(g)
    gradients = _gradients(p, g, g_error, inputs, table, by_occurrence)
    return Truth(value, gradients, tame, nan)


def _gradients(p, g, g_error, inputs, table, by_occurrence) -> tuple[Bounded, ...]:
    """Returns the gradients with their bounds: the same sums, of absolute values."""
    exact = reference.gradients(p.weights, p.labels, p.inputs, p.sampled, g, p.upstream)
    absolute = [np.abs(array) for array in (p.weights, p.inputs, p.upstream)]
    weights, x, upstream = absolute
    sums = lambda wrong: reference.gradients(  # noqa: E731
        weights, p.labels, x, p.sampled, wrong, upstream
    )
    entries = sums(EPS[table] * np.abs(g) * by_occurrence)
    dtypes = table, table, inputs
    return tuple(
        Bounded(value, rounding(bound + more, value, dtype))
        for value, bound, more, dtype in zip(exact, sums(g_error), entries, dtypes)
    )


def rounding(error: np.ndarray, value: np.ndarray, dtype: str) -> np.ndarray:
    """Adds the last rounding, to the result's dtype; what it cannot hold may be infinite."""
    error = error * (1 + EPS[dtype]) + EPS[dtype] * np.abs(value) + TINY[dtype]
    return np.where(np.abs(value) + error < LARGEST[dtype], error, np.inf)


def close(got: np.ndarray, want: Bounded, rows=None) -> None:
    """Asserts that a result is within its bound, in the rows given."""
    got = np.asarray(got, np.float64)
    assert got.shape == want.value.shape, (got.shape, want.value.shape)
    rows = slice(None) if rows is None else rows
    got, value, error = got[rows], want.value[rows], want.error[rows]
    # TensorFlow's threads flush denormal numbers to zero.
    bad = ~(np.abs(got - value) <= error + np.finfo(np.float32).tiny)
    assert not bad.any(), f"got {got[bad]}, expected {value[bad]} ± {error[bad]}"
