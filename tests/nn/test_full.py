"""The exact losses and rankings equal TensorFlow's results from the whole matrix of logits."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

import tf_sampled_compat as tsc
from tests.problems import assert_close, dense, problem
from tests.table_pieces import pieces, sharded, whole
from tf_sampled_compat.core.backends import streaming
from tf_sampled_compat.core.losses import blocks

P = problem(C=53, D=6, B=7, T=2)
pytestmark = [
    pytest.mark.usefixtures("implementation", "blocks_of_16_rows"),
    pytest.mark.no_op_seeds,
]
TABLES = {
    "variable": lambda a: tf.Variable(a),
    "div": lambda a: [tf.Variable(p) for p in pieces(a, 3, "div")],
    "mod": lambda a: [tf.Variable(p) for p in pieces(a, 3, "mod")],
    "sharded": lambda a: sharded(a, 3),
}
modes = pytest.mark.parametrize("mode", ["eager", "function", "XLA"])
tables = pytest.mark.parametrize("kind", TABLES)


@pytest.fixture
def blocks_of_16_rows(monkeypatch):
    """Sets blocks of 16 rows: 53 rows are three blocks and a smaller one."""
    monkeypatch.setattr(blocks, "_BLOCK_NUMBERS", 16)
    monkeypatch.setattr(blocks, "_STATIC_ROWS", 16)
    monkeypatch.setattr(streaming, "_STATIC_ROWS", 16)


def run(mode, step):
    if mode == "eager":
        return step()
    if mode == "XLA":  # XLA always takes the composite.
        with tsc.implementation("composite"):
            return tf.function(step, jit_compile=True)()
    return tf.function(step)()


def options(kind):
    return {"partition_strategy": "mod" if kind == "mod" else "div"}


def variables(table):
    return getattr(table, "variables", table) if not isinstance(table, tf.Variable) else [table]


@pytest.mark.parametrize("name", ["full_softmax_loss", "full_sigmoid_loss", "full_top_k"])
def test_no_more_than_a_block_of_rows_is_held(name):
    """The other tests rely on this: with a single block they would pass too."""
    found = []

    def record(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        found.extend(
            (op_type, t.shape[0]) for t in outputs if t.shape.rank == 2 and t.shape[1] == 6
        )

    w, x, b = tf.Variable(P.weights), tf.constant(P.inputs), tf.Variable(P.biases)
    op_callbacks.add_op_callback(record)
    try:
        if name == "full_top_k":
            tsc.nn.full_top_k(w, b, x, 3)
        else:
            getattr(tsc.nn, name)(w, b, P.labels, x, num_true=2)
    finally:
        op_callbacks.remove_op_callback(record)
    rows = [count for op, count in found if "Gather" in op and count != P.labels.size]
    assert max(rows) <= 16 and sum(rows) >= 53, rows


@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_blocks_of_the_size_that_users_get(loss, monkeypatch):
    """A table of 70,000 rows has three blocks of the default size."""
    monkeypatch.undo()  # Undoes the blocks of 16 rows.
    r = np.random.RandomState(3)
    w, b = r.randn(70_000, 2).astype("f"), r.randn(70_000).astype("f")
    x, labels = r.randn(3, 2).astype("f"), np.array([[5, 69_999], [32_768, 40_000], [0, 1]])
    ours, stock = LOSSES[loss]
    want = stock(*(a.astype("d") for a in (w, b)), labels, x.astype("d"))
    assert_close(ours(w, b, labels, x, num_true=2), want)


def stock_logits(x, w, b):
    return tf.matmul(x, w, transpose_b=True) + b


def stock_softmax(w, b, labels, x):
    logits = stock_logits(x, w, b)
    targets = tf.reduce_sum(tf.one_hot(labels, len(b), dtype=x.dtype), axis=1) / labels.shape[1]
    return tf.nn.softmax_cross_entropy_with_logits(targets, logits)


def stock_sigmoid(w, b, labels, x):
    logits = stock_logits(x, w, b)
    targets = tf.reduce_sum(tf.one_hot(labels, len(b), dtype=x.dtype), axis=1) / labels.shape[1]
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=1)


LOSSES = {
    "softmax": (tsc.nn.full_softmax_loss, stock_softmax),
    "sigmoid": (tsc.nn.full_sigmoid_loss, stock_sigmoid),
}


@modes
@tables
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_gradients(loss, kind, mode):
    ours, stock = LOSSES[loss]
    w, b, x = TABLES[kind](P.weights), TABLES[kind](P.biases), tf.Variable(P.inputs)
    watched = [*variables(w), *variables(b), x]

    def step():
        with tf.GradientTape() as tape:
            value = ours(w, b, P.labels, x, num_true=2, **options(kind))
            total = tf.reduce_sum(value * P.upstream)
        return value, [tf.convert_to_tensor(g) for g in tape.gradient(total, watched)]

    value, gradients = run(mode, step)
    dw, db, dx = tf.constant(P.weights), tf.constant(P.biases), tf.constant(P.inputs)
    with tf.GradientTape() as tape:
        tape.watch([dw, db, dx])
        want = stock(dw, db, P.labels, dx)
        total = tf.reduce_sum(want * P.upstream)
    expected = tape.gradient(total, [dw, db, dx])
    assert_close(value, want)
    count, strategy = len(variables(w)), options(kind)["partition_strategy"]
    assert_close(whole([dense(g) for g in gradients[:count]], strategy), expected[0])
    assert_close(whole([dense(g) for g in gradients[count:-1]], strategy), expected[1])
    assert_close(gradients[-1], expected[2])


@modes
@tables
@pytest.mark.parametrize("k", [1, 5, 20, 53])
def test_top_k(k, kind, mode):
    w, b = TABLES[kind](P.weights), TABLES[kind](np.round(P.biases))

    def find():
        return tsc.nn.full_top_k(w, b, P.inputs, k, **options(kind))

    logits, ids = run(mode, find)
    want, want_ids = tf.math.top_k(stock_logits(P.inputs, P.weights, np.round(P.biases)), k)
    assert_close(logits, want)
    assert np.array_equal(ids, want_ids) and ids.dtype == tf.int64


def test_equal_logits_come_by_id():
    _, ids = tsc.nn.full_top_k(tf.zeros([53, 2]), tf.zeros([53]), tf.ones([2, 2]), 40)
    assert np.array_equal(ids, [np.arange(40)] * 2)


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_beyond_the_classes_do_not_count(loss):
    ours, stock = LOSSES[loss]
    got = ours(P.weights, P.biases, P.labels % 20, P.inputs, 20, 2)
    want = stock(P.weights[:20], P.biases[:20], P.labels % 20, P.inputs)
    assert_close(got, want)
    _, ids = tsc.nn.full_top_k(P.weights, P.biases, P.inputs, 20, 20)
    assert int(tf.reduce_max(ids)) == 19


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("loss", LOSSES)
def test_dtypes(loss, dtype):
    ours, stock = LOSSES[loss]
    x = tf.cast(P.inputs, dtype)
    got = ours(P.weights, P.biases, P.labels, x, num_true=2)
    assert got.dtype == dtype
    wide = tf.cast(x, tf.float64)
    want = stock(P.weights.astype("d"), P.biases.astype("d"), P.labels, wide)
    assert_close(tf.cast(got, tf.float64), want, {"float64": 1e-6}.get(dtype, 4e-3))


@pytest.mark.parametrize("loss", LOSSES)
def test_second_order(loss):
    def product(fn):
        x = tf.Variable(P.inputs)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                value = tf.reduce_sum(fn(x) * P.upstream)
            gradient = inner.gradient(value, x)
            total = tf.reduce_sum(gradient**2)
        return outer.gradient(total, x)

    ours, stock = LOSSES[loss]
    got = product(lambda x: ours(P.weights, P.biases, P.labels, x, num_true=2))
    assert_close(got, product(lambda x: stock(P.weights, P.biases, P.labels, x)))


def test_unknown_batch():
    @tf.function(input_signature=[tf.TensorSpec([None, 6]), tf.TensorSpec([None, 2], tf.int64)])
    def run(x, labels):
        loss = tsc.nn.full_softmax_loss(P.weights, P.biases, labels, x, num_true=2)
        logits, ids = tsc.nn.full_top_k(P.weights, P.biases, x, 3)
        assert (loss.shape, logits.shape, ids.shape) == ([None], [None, 3], [None, 3])
        return loss, ids

    for size in (0, 1, 7):
        loss, ids = run(P.inputs[:size], P.labels[:size])
        assert_close(loss, stock_softmax(P.weights, P.biases, P.labels, P.inputs)[:size])
        assert ids.shape == [size, 3]


def test_bad_k():
    with pytest.raises(ValueError, match="k: expected at most 53, the number of classes, got 54"):
        tsc.nn.full_top_k(P.weights, P.biases, P.inputs, 54)
    with pytest.raises(ValueError, match="k: expected at least 1"):
        tsc.nn.full_top_k(P.weights, P.biases, P.inputs, 0)
