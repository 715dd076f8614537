"""Every dtype, judged by a float64 reference: error ≤ 2 × stock's + 4 ulp of the largest value."""

import functools

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import reference
from tests.problems import assert_close, dense, loss_and_gradients, problem

pytestmark = pytest.mark.no_op_seeds

LOSSES = {
    "softmax": (tsc.nn.sampled_softmax_loss, tf.nn.sampled_softmax_loss, reference.softmax_loss),
    "nce": (tsc.nn.nce_loss, tf.nn.nce_loss, reference.nce_loss),
}
ONE = problem(B=1, D=1, S=1)
PROBLEMS = {
    "one true class": problem(T=1),
    "two true classes": problem(T=2),
    "five true classes, repeated candidates": problem(T=5, S=20, repeated=True),
    "a batch of one, one number a row": problem(B=1, D=1, S=2),
    # If the only candidate were the true class, every gradient would be exactly zero.
    "one candidate": ONE._replace(labels=(ONE.labels + 1) % 50),
    "all classes are candidates": problem(C=12, S=12),
    "logits of tens": problem(scale=8.0),
    "logits of a hundred": problem(T=2, scale=20.0),
    "long rows": problem(D=300, B=20, S=40),
    "many candidates": problem(C=2000, D=64, B=32, S=500, T=3),
}
of_each = pytest.mark.parametrize("name", PROBLEMS)
EPS = {
    "float64": np.finfo(np.float64).eps,
    "float32": np.finfo(np.float32).eps,
    "float16": np.finfo(np.float16).eps,
    "bfloat16": float(ml_dtypes.finfo("bfloat16").eps),
}


def rounded(p, table_dtype, inputs_dtype):
    """Rounds the problem to its dtypes, so that rounded arguments do not count as errors."""
    table = lambda a: tf.cast(tf.cast(a, table_dtype), tf.float64).numpy()  # noqa: E731
    inputs = lambda a: tf.cast(tf.cast(a, inputs_dtype), tf.float64).numpy()  # noqa: E731
    return p._replace(
        weights=table(p.weights),
        biases=table(p.biases),
        inputs=inputs(p.inputs),
        upstream=inputs(p.upstream),  # It has the loss's dtype.
    )


def run(fn, p, table_dtype, inputs_dtype, hits, **options):
    w, b = (tf.Variable(tf.cast(a, table_dtype)) for a in (p.weights, p.biases))
    x = tf.Variable(tf.cast(p.inputs, inputs_dtype))
    loss, (dw, db, dx) = loss_and_gradients(
        fn, w, b, tf.constant(p.labels), x, p.upstream, [w, b, x],
        remove_accidental_hits=hits, **{**p.arguments, **options},
    )  # fmt: skip
    assert loss.dtype == inputs_dtype
    assert (dw.dtype, db.dtype, dx.dtype) == (table_dtype, table_dtype, inputs_dtype)
    return [dense(t) for t in (loss, dw, db, dx)]


@functools.cache
def truth_of(loss, name, hits, table="float32", inputs="float32"):
    """Returns the reference's loss and gradients; cached, because its Python loops are slow."""
    p = PROBLEMS[name]
    if inputs in ("float16", "bfloat16"):
        p = rounded(p, table, inputs)
    return reference.evaluate(LOSSES[loss][2], p, hits)


def worst(values, truth):
    return [float(np.abs(v - t).max()) for v, t in zip(values, truth)]


@of_each
@pytest.mark.parametrize("hits", [True, False], ids=["hits removed", "hits kept"])
@pytest.mark.parametrize("loss", LOSSES)
def test_float32_is_as_accurate_as_stock(name, loss, hits, implementation):
    ours, stock, _ = LOSSES[loss]
    p, truth = PROBLEMS[name], truth_of(loss, name, hits)
    errors = worst(run(ours, p, tf.float32, tf.float32, hits), truth)
    stock_errors = worst(run(stock, p, tf.float32, tf.float32, hits), truth)
    for error, stock_error, t in zip(errors, stock_errors, truth):
        assert error <= 2 * stock_error + 4 * EPS["float32"] * np.abs(t).max()


@of_each
@pytest.mark.parametrize("hits", [True, False], ids=["hits removed", "hits kept"])
@pytest.mark.parametrize("loss", LOSSES)
def test_float64(name, loss, hits, implementation):
    p, truth = PROBLEMS[name], truth_of(loss, name, hits)
    got = run(LOSSES[loss][0], p, tf.float64, tf.float64, hits)
    for error, t in zip(worst(got, truth), truth):
        assert error <= 64 * EPS["float64"] * np.abs(t).max()


@pytest.mark.parametrize("name", list(PROBLEMS)[:6])
@pytest.mark.parametrize("hits", [True, False], ids=["hits removed", "hits kept"])
@pytest.mark.parametrize("table", [tf.float32, "same", tf.float64], ids=str)
@pytest.mark.parametrize("inputs", [tf.float16, tf.bfloat16], ids=lambda d: d.name)
@pytest.mark.parametrize("loss", LOSSES)
def test_low_precision_inputs_compute_in_float32(name, loss, inputs, table, hits, implementation):
    """Results have float32's accuracy, then are rounded to their own dtype.

    Each class has one entry: of several, each is rounded, and their sum is off by all of that.
    """
    table = inputs if table == "same" else table
    p = rounded(PROBLEMS[name], table, inputs)
    truth = truth_of(loss, name, hits, table.name, inputs.name)
    with tsc.gradient_slices("unique"):
        got = run(LOSSES[loss][0], p, table, inputs, hits)
    for error, t, dtype in zip(worst(got, truth), truth, (inputs, table, table, inputs)):
        eps = max(EPS[dtype.name], EPS["float32"])
        assert error <= (eps / 2 + 64 * EPS["float32"]) * np.abs(t).max()


@pytest.mark.parametrize("table", [tf.float16, tf.bfloat16, tf.float64], ids=lambda d: d.name)
@pytest.mark.parametrize("loss", LOSSES)
def test_float32_inputs_take_tables_of_any_dtype_as_stock_does(loss, table, implementation):
    ours, stock, _ = LOSSES[loss]
    p = PROBLEMS["two true classes"]
    got = run(ours, p, table, tf.float32, True)
    want = run(stock, p, table, tf.float32, True)
    for g, w in zip(got, want):
        rtol = EPS[table.name] if table != tf.float64 else 0.0
        assert_close(g, w, rtol=rtol + 2e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_hit_has_probability_exactly_zero(loss, dtype, implementation):
    """If every candidate is a hit, the loss is that of the true class alone."""
    x = tf.Variable(tf.ones([3, 2], dtype))
    w, b = tf.Variable(tf.ones([4, 2], dtype)), tf.Variable(tf.zeros([4], dtype))
    ones = (np.ones([3, 2], "f"), np.ones(2, "f"))
    labels = [[2, 1]] * 3
    value, (dw, db, dx) = loss_and_gradients(
        LOSSES[loss][0], w, b, labels, x, np.ones(3), [w, b, x], num_sampled=2, num_classes=4,
        num_true=2, sampled_values=([1, 2], *ones), remove_accidental_hits=True,
    )  # fmt: skip
    if loss == "softmax":
        assert_close(tf.cast(value, tf.float64), np.full(3, np.log(2.0)), rtol=EPS[dtype])
        # Two equal targets have all the probability.
        assert np.abs(dense(dw)).max() <= 4 * EPS[dtype]
    else:
        logit = 2.0
        want = 2 * (logit - 0.5 * logit + np.log1p(np.exp(-logit)))
        assert_close(tf.cast(value, tf.float64), np.full(3, want), rtol=EPS[dtype])
    assert np.isfinite(dense(dw)).all() and np.isfinite(dense(dx)).all()


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64,
              np.float32]
)  # fmt: skip
def test_labels_of_any_dtype(dtype):
    p = PROBLEMS["one true class"]
    want = tsc.nn.nce_loss(p.weights, p.biases, p.labels, p.inputs, **p.arguments)
    labels = p.labels.astype(dtype) + (0.5 if dtype == np.float32 else 0)  # 1.5 is cast to 1
    got = tsc.nn.nce_loss(p.weights, p.biases, labels, p.inputs, **p.arguments)
    assert np.array_equal(got, want)


@pytest.mark.parametrize("loss", LOSSES)
def test_everything_in_bfloat16(loss, implementation):
    """Labels, tables, inputs and counts: computed in float32, and rounded at the end."""
    p = PROBLEMS["one true class"]

    def value(dtype):
        arrays = [
            array.astype(ml_dtypes.bfloat16).astype(dtype)
            for array in (p.weights, p.biases, p.labels, p.inputs, p.true_count, p.sampled_count)
        ]
        arguments = {**p.arguments, "sampled_values": (p.sampled, *arrays[4:])}
        return LOSSES[loss][0](*arrays[:4], **arguments)

    got = value(ml_dtypes.bfloat16)
    assert got.dtype == tf.bfloat16
    assert_close(tf.cast(got, tf.float32), value(np.float32), rtol=EPS["bfloat16"])


def test_bool_labels():
    ids = np.array([[True], [False]])
    values = ([1], [[1.0], [1.0]], [1.0])
    got, want = (
        tsc.nn.nce_loss(np.eye(2), np.zeros(2), labels, np.eye(2), 1, 2, sampled_values=values)
        for labels in (ids, ids.astype(np.int64))
    )
    assert np.array_equal(got, want)


@pytest.mark.parametrize("label", [2**24 + 1, 2**31 + 1])
def test_ids_survive_that_a_float32_or_int32_cannot_hold(label):
    sampled, true_count, _ = tsc.random.uniform_candidate_sampler(
        [[label]], 1, 4, True, 2**32, seed=1
    )
    rows, columns, _ = tsc.nn.compute_accidental_hits([[label]], [label - 1, label], 1)
    assert (rows.numpy().tolist(), columns.numpy().tolist()) == ([0], [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match=str(label)):
        tsc.nn.nce_loss(np.ones([8, 2]), np.ones(8), [[label]], np.ones([1, 2]), 4, 8,
                        sampled_values=([1, 2], [[1.0]], [1.0, 1.0]))  # fmt: skip


def test_a_table_of_more_rows_than_float32_counts():
    """Row 16777217 is looked up, not its neighbour."""
    rows = 2**24 + 2
    weights, biases = tf.zeros([rows, 1]), tf.one_hot(2**24 + 1, rows) * 5.0
    values = ([0], [[1.0]], [1.0])
    loss = tsc.nn.sampled_softmax_loss(
        weights, biases, [[2**24 + 1]], [[1.0]], 1, rows, sampled_values=values
    )
    assert_close(loss, [np.log1p(np.exp(-5.0))])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("loss", LOSSES)
def test_default_sampler_with_the_inputs_of_a_mixed_precision_policy(loss, policy):
    dtype = policy.split("_")[1]
    p = PROBLEMS["one true class"]
    value = LOSSES[loss][0](
        p.weights, p.biases, p.labels, tf.cast(p.inputs, dtype), 10, 50,
        remove_accidental_hits=True,
    )  # fmt: skip
    assert value.dtype == dtype and np.isfinite(tf.cast(value, tf.float32)).all()
