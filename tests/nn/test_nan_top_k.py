"""`full_top_k` ranks a NaN as -∞: it equals a ranking in float64 loops, whatever is NaN."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem
from tests.table_pieces import pieces, sharded
from tf_sampled_compat.core.losses import blocks

C, B = 53, 7
P = problem(C=C, D=6, B=B)
BIASES = np.round(P.biases)
BAD = [0, 3, 15, 16, 17, 31, 40, 52]
ALLOWED = [0, 2, 3, 5, 9, 16, 17, 18, 40, 51, 52]
EXCLUDE = np.array([[1, 3, 17, -1], [0, 0, 5, 52], [16, 15, 40, 8]] * 2 + [[2, 4, 6, 7]])
pytestmark = [
    pytest.mark.usefixtures("implementation", "blocks_of_16_rows"),
    pytest.mark.no_op_seeds,
]
modes = pytest.mark.parametrize("mode", ["eager", "function", "XLA"])


@pytest.fixture
def blocks_of_16_rows(monkeypatch):
    """Sets blocks of 16 rows: 53 rows are three blocks and a smaller one."""
    monkeypatch.setattr(blocks, "_BLOCK_NUMBERS", 16)
    monkeypatch.setattr(blocks, "_STATIC_ROWS", 16)


def spoiled(where):
    """Returns weights, biases and inputs, of which some are NaN."""
    w, b, x = P.weights.copy(), BIASES.copy(), P.inputs.copy()
    if where == "a number of some rows":
        w[BAD, 2] = np.nan
    if where == "biases":
        b[BAD] = np.nan
    if where == "most rows":
        w[np.arange(C) % 9 != 4] = np.nan
    if where == "inputs":
        x[[1, 4]] = np.nan
    if where == "the same":
        w[BAD], x[2, 5] = np.nan, np.nan
        b[7:9] = -np.inf
    return w, b, x


places = pytest.mark.parametrize(
    "where", ["a number of some rows", "biases", "most rows", "inputs", "the same"]
)


def naive(w, b, x, k, exclude=None, allowed=None):
    """Ranks in float64 loops.

    A mask of allowed classes makes the others' logits -∞, so they may take a NaN class's place.
    """
    mask = np.ones(C, bool) if allowed is None else np.isin(np.arange(C), allowed)
    values, ids = np.full([B, k], -np.inf), np.full([B, k], -1)
    for i in range(B):
        logits = [sum(float(w[c, d]) * float(x[i, d]) for d in range(6)) + b[c] for c in range(C)]
        keys = [v if v == v and mask[c] else -np.inf for c, v in enumerate(logits)]
        order = sorted(range(C), key=lambda c: (-keys[c], c))
        excluded = () if exclude is None else set(exclude[i])
        best = [c for c in order if c not in excluded][:k]
        best = [c for c in best if mask[c]]
        values[i, : len(best)], ids[i, : len(best)] = [logits[c] for c in best], best
    return values, ids


def run(mode, step):
    if mode == "eager":
        return step()
    if mode == "XLA":  # XLA always takes the composite.
        with tsc.implementation("composite"):
            return tf.function(step, jit_compile=True)()
    return tf.function(step)()


def check(got, want):
    assert np.array_equal(got[1], want[1])
    np.testing.assert_allclose(got[0], want[0], rtol=2e-5, atol=2e-5)


@modes
@places
@pytest.mark.parametrize("k", [1, 6, C])
def test_nan(where, k, mode):
    w, b, x = map(tf.constant, spoiled(where))
    check(run(mode, lambda: tsc.nn.full_top_k(w, b, x, k)), naive(*spoiled(where), k))


@modes
@places
@pytest.mark.parametrize("k", [2, 12])
def test_restricted(where, k, mode):
    """A list that XLA does not know becomes a mask there; of a known one the rows are read."""
    w, b, x = map(tf.constant, spoiled(where))
    mask = np.isin(np.arange(C), ALLOWED)
    want = naive(*spoiled(where), k, exclude=EXCLUDE)
    check(run(mode, lambda: tsc.nn.full_top_k(w, b, x, k, exclude=EXCLUDE)), want)
    want = naive(*spoiled(where), k, allowed=ALLOWED)
    check(run(mode, lambda: tsc.nn.full_top_k(w, b, x, k, allowed=mask)), want)
    listed = run(mode, lambda: tsc.nn.full_top_k(w, b, x, k, allowed=ALLOWED))
    finite = np.isfinite(want[0])
    assert np.array_equal(np.where(finite, listed[1], 0), np.where(finite, want[1], 0))
    # All of a list are found: there is nothing else that could take a NaN class's place.
    assert (np.sort(listed[1])[:, -min(k, len(ALLOWED)) :] >= 0).all()


@modes
@pytest.mark.parametrize("kind", ["div", "mod", "sharded"])
def test_tables_in_pieces(kind, mode):
    w, b, x = spoiled("the same")
    want = naive(w, b, x, 9)

    def table(array):
        if kind == "sharded":
            return sharded(array, 3)
        return [tf.Variable(piece) for piece in pieces(array, 3, kind)]

    w, b = table(w), table(b)
    strategy = "mod" if kind == "mod" else "div"
    check(run(mode, lambda: tsc.nn.full_top_k(w, b, x, 9, partition_strategy=strategy)), want)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtypes(dtype):
    w, b, x = spoiled("a number of some rows")
    logits, ids = tsc.nn.full_top_k(w, b, tf.cast(np.round(x), dtype), C)
    assert np.array_equal(ids, naive(w, b, np.round(x), C)[1]) and logits.dtype == dtype


@modes
def test_zeros_of_both_signs(mode):
    """They are equal, so the lower id comes first."""
    b = tf.constant([-0.0, 0.0, 1.0, -0.0, 0.0])
    _, ids = run(mode, lambda: tsc.nn.full_top_k(-tf.zeros([5, 2]), b, tf.ones([3, 2]), 5))
    assert np.array_equal(ids, [[2, 0, 1, 3, 4]] * 3)
