"""The cost of a step does not grow with the number of classes: it reads and builds rows only."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

import tf_sampled_compat as tsc
from tests.table_pieces import pieces, sharded

pytestmark = [pytest.mark.usefixtures("implementation"), pytest.mark.no_op_seeds]
C, D, B, S = 7919, 4, 6, 10  # No other dimension equals the prime C.
LABELS = tf.constant([[1], [7000], [3], [3], [42], [7918]], tf.int64)
INPUTS = np.ones([B, D], np.float32)

LOSSES = {
    "softmax": (tsc.nn.sampled_softmax_loss, {}),
    "nce": (tsc.nn.nce_loss, {"remove_accidental_hits": True}),
    "sparse": (tsc.nn.sampled_sparse_softmax_loss, {"partition_strategy": "div"}),
    "rank": (tsc.nn.rank_sampled_softmax_loss, {"num_resampled": 4}),
}
TABLES = {
    "tf.Variable": lambda a: tf.Variable(a),
    "keras.Variable": lambda a: keras.Variable(a),
    "pieces": lambda a: [tf.Variable(p) for p in pieces(a, 3, "div")],
    "keras pieces": lambda a: [keras.Variable(p) for p in pieces(a, 3, "div")],
    "ShardedVariable": lambda a: sharded(a, 3),
    "MirroredVariable": lambda a: mirrored(a),
}
if not hasattr(keras, "Variable"):  # Keras 2
    TABLES = {kind: make for kind, make in TABLES.items() if "keras" not in kind}


def mirrored(array):
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        return tf.Variable(array)


def variables(table):
    """Returns a table's variables, for the tape and the optimizer."""
    if isinstance(table, list):
        return [v for t in table for v in variables(t)]
    if hasattr(table, "variables"):
        return list(table.variables)
    return [table if isinstance(table, tf.Variable) else table.value]


def make_step(loss, weights, biases):
    """Makes a training step: loss, gradients, and a sparse update of the rows that occur."""
    fn, options = LOSSES[loss]
    watched = variables(weights) + variables(biases)

    def step():
        with tf.GradientTape() as tape:
            value = fn(
                weights, biases, LABELS, INPUTS, num_sampled=S, num_classes=C, **options
            )  # fmt: skip
            total = tf.reduce_sum(value)
        for variable, gradient in zip(watched, tape.gradient(total, watched)):
            variable.scatter_sub(tf.IndexedSlices(0.1 * gradient.values, gradient.indices))
        return value

    return step


def sized_like_the_table(shape):
    """Whether a shape has a dimension as long as the table or as one of its pieces."""
    return shape.rank is not None and any(n in (C, 2640, 2639) for n in shape.as_list())


def assert_rows_only(graph):
    for op in graph.get_operations():
        assert "ReadVariableOp" not in op.type or not sized_like_the_table(op.outputs[0].shape), op
        for output in op.outputs:
            assert not sized_like_the_table(output.shape), f"{op.type} {op.name}: {output.shape}"


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", [k for k in TABLES if k != "MirroredVariable"])
def test_no_op_of_the_step_has_the_size_of_the_table(kind, loss):
    w, b = (TABLES[kind](np.ones(s, np.float32)) for s in ((C, D), C))
    concrete = tf.function(make_step(loss, w, b)).get_concrete_function()
    assert_rows_only(concrete.graph)


def test_the_check_sees_a_dense_gradient():
    """The check above can fail: a transposed kernel makes the gradient dense."""
    kernel, b = tf.Variable(tf.ones([D, C])), tf.Variable(tf.ones([C]))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tsc.nn.nce_loss(tf.transpose(kernel), b, LABELS, INPUTS, S, C)
        return tape.gradient(loss, kernel)

    with pytest.raises(AssertionError):
        assert_rows_only(step.get_concrete_function().graph)


@contextlib.contextmanager
def recorded_outputs():
    """Collects (op type, output shapes) for every op that eager mode runs."""
    seen = []

    def record(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        seen.append((op_type, [o.shape for o in outputs if hasattr(o, "shape")]))

    op_callbacks.add_op_callback(record)
    try:
        yield seen
    finally:
        op_callbacks.remove_op_callback(record)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", TABLES)
def test_eager_steps_after_a_sparse_update_read_rows_only(kind, loss):
    """After a sparse update, each read of a variable copies it. So there must be no read."""
    w, b = (TABLES[kind](np.ones(s, np.float32)) for s in ((C, D), C))
    if kind == "MirroredVariable":  # Only its lookup is ours; the strategy updates it.
        fn, options = LOSSES[loss]
        step = lambda: tf.distribute.get_strategy().run(  # noqa: E731
            lambda: fn(w, b, LABELS, INPUTS, num_sampled=S, num_classes=C, **options)
        )
        scope = w.distribute_strategy.scope()
    else:
        step, scope = make_step(loss, w, b), contextlib.nullcontext()
    with scope:
        step()
        with recorded_outputs() as seen:
            step()
    assert len(seen) > 10
    for op_type, shapes in seen:
        for shape in shapes:
            assert not sized_like_the_table(shape), (op_type, shape)


def test_training_learns_and_leaves_other_rows_alone():
    w, b = tf.Variable(tf.zeros([C, D])), tf.Variable(tf.zeros([C]))
    step = tf.function(make_step("softmax", w, b))
    first = step()
    for _ in range(30):
        last = step()
    assert tf.reduce_mean(last) < 0.5 * tf.reduce_mean(first)
    untouched = tf.reduce_all(tf.equal(w, 0.0), axis=1)
    assert int(tf.reduce_sum(tf.cast(untouched, tf.int32))) > C - 32 * (S + B)
