"""Every kind of table gives the loss and gradients of the plain one, in every mode."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, dense, loss_and_gradients, problem
from tests.table_pieces import pieces, sharded, whole

P = problem(C=10, D=4, B=5, T=2, S=6)
pytestmark = [pytest.mark.usefixtures("implementation"), pytest.mark.no_op_seeds]
LOSSES = {"softmax": tsc.nn.sampled_softmax_loss, "nce": tsc.nn.nce_loss}


def expected(loss):
    w, b, x = tf.constant(P.weights), tf.constant(P.biases), tf.constant(P.inputs)
    stock = {"softmax": tf.nn.sampled_softmax_loss, "nce": tf.nn.nce_loss}[loss]
    value, gradients = loss_and_gradients(
        stock, w, b, tf.constant(P.labels), x, P.upstream, [w, b, x],
        remove_accidental_hits=True, **P.arguments,
    )  # fmt: skip
    return value, [dense(g) for g in gradients]


def run(loss, weights, biases, mode, strategy, watched=None):
    x = tf.Variable(P.inputs)
    watched = [weights, biases] if watched is None else watched

    def step(labels, upstream):
        return loss_and_gradients(
            LOSSES[loss], weights, biases, labels, x, upstream, [watched, x],
            remove_accidental_hits=True, partition_strategy=strategy, **P.arguments,
        )  # fmt: skip

    if mode == "function":
        step = tf.function(step)
    if mode == "function, unknown batch":
        specs = [tf.TensorSpec([None, 2], tf.int64), tf.TensorSpec([None], tf.float32)]
        step = tf.function(step, input_signature=specs)
    return step(tf.constant(P.labels), tf.constant(P.upstream))


def check(loss, value, weights_gradients, biases_gradients, x_gradient, strategy):
    want, (dw, db, dx) = expected(loss)
    assert_close(value, want)
    assert_close(dense(x_gradient), dx)
    for gradients, target in ((weights_gradients, dw), (biases_gradients, db)):
        gradients = tf.nest.flatten(gradients, expand_composites=False)
        for gradient in gradients:
            assert isinstance(gradient, tf.IndexedSlices)
        assert_close(whole([dense(g) for g in gradients], strategy), target)


MODES = ["eager", "function", "function, unknown batch"]
MAKERS = {"tf.Variable": tf.Variable, "tensor": tf.constant}
if hasattr(keras, "Variable"):  # Keras 3
    MAKERS["keras.Variable"] = keras.Variable


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", MAKERS)
def test_single_table(kind, loss, mode):
    w, b = MAKERS[kind](P.weights), MAKERS[kind](P.biases)
    watched = [v.value if kind == "keras.Variable" else v for v in (w, b)]
    value, ((dw, db), dx) = run(loss, w, b, mode, "div", watched)
    check(loss, value, dw, db, dx, "div")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("strategy", ["div", "mod"])
@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("kind", MAKERS)
def test_pieces(kind, count, strategy, mode):
    w, b = (
        [MAKERS[kind](piece) for piece in pieces(array, count, strategy)]
        for array in (P.weights, P.biases)
    )
    watched = [[getattr(p, "value", p) if kind == "keras.Variable" else p for p in t]
               for t in (w, b)]  # fmt: skip
    value, ((dw, db), dx) = run("softmax", w, b, mode, strategy, watched)
    check("softmax", value, dw, db, dx, strategy)


@pytest.mark.parametrize("mode", MODES)
def test_pieces_in_a_tuple(mode):
    w, b = (tuple(map(tf.Variable, pieces(a, 3, "mod"))) for a in (P.weights, P.biases))
    value, ((dw, db), dx) = run("softmax", w, b, mode, "mod")
    check("softmax", value, dw, db, dx, "mod")


@pytest.mark.parametrize("strategy", ["div", "mod"])
def test_more_pieces_than_rows(strategy):
    rows = np.float32([[1.0], [2.0]])
    w = pieces(rows, 3, strategy)
    loss = tsc.nn.sampled_softmax_loss(
        w, [0.0, 0.0], [[0], [1]], [[1.0], [1.0]], 1, 2, partition_strategy=strategy,
        sampled_values=([1], [[1.0], [1.0]], [1.0]), remove_accidental_hits=False,
    )  # fmt: skip
    assert_close(loss, [np.log1p(np.exp(1.0)), np.log(2.0)])


@pytest.mark.parametrize("strategy", ["div", "mod"])
def test_whole_biases_with_weights_in_pieces(strategy):
    w = [tf.Variable(p) for p in pieces(P.weights, 3, strategy)]
    b = tf.Variable(P.biases)
    value, ((dw, db), dx) = run("softmax", w, b, "function", strategy)
    want, (ew, eb, ex) = expected("softmax")
    assert_close(value, want)
    assert_close(whole([dense(g) for g in dw], strategy), ew)
    assert_close(dense(db), eb)
    assert_close(dense(dx), ex)


def test_numpy_tables_and_python_lists():
    want, _ = expected("softmax")
    value = tsc.nn.sampled_softmax_loss(
        P.weights, P.biases.tolist(), P.labels.tolist(), P.inputs.tolist(), **P.arguments
    )
    assert_close(value, want)
    value = tsc.nn.sampled_softmax_loss(
        pieces(P.weights, 3, "div"), P.biases, P.labels, P.inputs, **P.arguments
    )
    assert_close(value, want)


def test_a_table_of_one_row_written_out():
    values = ([0], [[1.0]], [1.0])
    loss = tsc.nn.nce_loss([[2.0, 1.0]], [0.5], [[0]], [[1.0, 1.0]], 1, 1, sampled_values=values)
    assert_close(loss, [np.log1p(np.exp(-3.5)) + np.log1p(np.exp(3.5))])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v]], ids=["itself", "in a list"])
def test_sharded_variable(wrap, mode):
    w, b = sharded(P.weights, 3), sharded(P.biases, 3)
    watched = [w.variables, b.variables]
    value, ((dw, db), dx) = run("softmax", wrap(w), wrap(b), mode, "div", watched)
    check("softmax", value, dw, db, dx, "div")


@pytest.mark.parametrize("nn", [tsc.nn, tsc.compat.v1.nn, tsc.compat.v0.nn], ids=["nn", "v1", "v0"])
def test_sharded_variable_under_mod_is_an_error(nn):
    with pytest.raises(ValueError, match="ShardedVariable.*partition_strategy='div'"):
        nn.nce_loss(
            weights=sharded(P.weights, 3), biases=P.biases, labels=P.labels, inputs=P.inputs,
            partition_strategy="mod", **P.arguments,
        )  # fmt: skip


def in_v1_graph(build, feeds=()):
    """Builds tensors in a v1 graph and returns their values in a session."""
    with tf.Graph().as_default() as graph:
        fetches, feed_dict = build()
        with tf.compat.v1.Session(graph=graph) as session:
            session.run(tf.compat.v1.global_variables_initializer())
            return session.run(fetches, feed_dict)


def partitioned(name, array, count, use_resource):
    def slice_of_array(shape, dtype=None, partition_info=None):
        begin = partition_info.var_offset[0] if partition_info else 0
        return tf.constant(array[begin : begin + shape[0]])

    return tf.compat.v1.get_variable(
        name,
        shape=array.shape,
        initializer=slice_of_array,
        partitioner=tf.compat.v1.fixed_size_partitioner(count),
        use_resource=use_resource,
    )


@pytest.mark.parametrize("use_resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("strategy", ["div", "mod"])
@pytest.mark.parametrize("count", [1, 3])
def test_partitioned_variable_equals_tensorflow(count, strategy, use_resource):
    def build(fn):
        w = partitioned("w", P.weights, count, use_resource)
        b = partitioned("b", P.biases, count, use_resource)
        labels = tf.compat.v1.placeholder(tf.int64)  # shape unknown
        inputs = tf.compat.v1.placeholder(tf.float32, [None, None])
        loss = fn(
            w, b, labels, inputs, partition_strategy=strategy, remove_accidental_hits=True,
            **P.arguments,
        )  # fmt: skip
        watched = [*w, *b, inputs]
        gradients = tf.compat.v1.gradients(loss * P.upstream, watched)
        kinds = [isinstance(g, tf.IndexedSlices) for g in gradients]
        gradients = [tf.convert_to_tensor(g) for g in gradients]
        return (loss, gradients, tf.constant(kinds)), {labels: P.labels, inputs: P.inputs}

    got = in_v1_graph(lambda: build(tsc.compat.v1.nn.sampled_softmax_loss))
    want = in_v1_graph(lambda: build(tf.compat.v1.nn.sampled_softmax_loss))
    assert (got[2] == want[2]).all()
    assert_close(got[0], want[0])
    for a, b in zip(got[1], want[1]):
        assert_close(a, b)


def test_mod_over_partitioned_variable_is_an_error_in_tf2s_namespace():
    def build():
        w = partitioned("w", P.weights, 3, True)
        tsc.nn.sampled_softmax_loss(
            w, P.biases, P.labels, P.inputs, partition_strategy="mod", **P.arguments
        )

    with pytest.raises(ValueError, match="PartitionedVariable.*compat.v1"):
        in_v1_graph(build)


def test_mod_over_partitioned_variable_warns_once(monkeypatch):
    from absl import logging

    warnings = []
    monkeypatch.setattr(logging, "log_first_n", lambda *args: warnings.append(args))

    def build():
        w = partitioned("w", P.weights, 3, True)
        loss = tsc.compat.v1.nn.sampled_softmax_loss(w, P.biases, P.labels, P.inputs, **P.arguments)
        return loss, {}

    in_v1_graph(build)
    assert len(warnings) == 1 and "same strategy" in " ".join(warnings[0][1].split())
    assert warnings[0][2] == 1, "said once"


@pytest.mark.parametrize("sizes", [(3, 3, 4), (5, 5, 0), (4, 4, 2)])
@pytest.mark.parametrize("strategy", ["div", "mod"])
def test_pieces_of_the_wrong_sizes_are_an_error(sizes, strategy):
    w = np.split(P.weights, np.cumsum(sizes)[:-1])
    with pytest.raises(ValueError, match=r"weights: expected .*\[4, 3, 3\].*got pieces of"):
        tsc.nn.nce_loss(w, P.biases, P.labels, P.inputs, partition_strategy=strategy, **P.arguments)


def test_placeholder_pieces_of_the_wrong_sizes_are_an_error_when_run():
    def build(sizes):
        parts = [tf.compat.v1.placeholder(tf.float32, [None, 4]) for _ in sizes]
        loss = tsc.nn.nce_loss(parts, P.biases, P.labels, P.inputs, **P.arguments)
        return loss, dict(zip(parts, np.split(P.weights, np.cumsum(sizes)[:-1])))

    want = tsc.nn.nce_loss(P.weights, P.biases, P.labels, P.inputs, **P.arguments)
    assert_close(in_v1_graph(lambda: build((4, 3, 3))), want)
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights"):
        in_v1_graph(lambda: build((3, 3, 4)))


@pytest.mark.skipif("keras.Variable" not in MAKERS, reason="Keras 2 has no variables of its own")
def test_keras_variable_under_autocast_is_gathered_in_its_own_dtype():
    w, b = keras.Variable(P.weights), keras.Variable(P.biases)
    want = tsc.nn.nce_loss(P.weights, P.biases, P.labels, P.inputs, **P.arguments)
    from keras.src.backend.common.variables import AutocastScope

    with AutocastScope("float16"):
        got = tsc.nn.nce_loss(w, b, P.labels, P.inputs, **P.arguments)
    assert_close(got, want, rtol=1e-6)


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_mirrored_variables(mode, two_replicas):
    """Under MirroredStrategy, each replica looks rows up in its own copy."""
    strategy = two_replicas
    with strategy.scope():
        w, b = tf.Variable(P.weights), tf.Variable(P.biases)

    def replica_step():
        with tf.GradientTape() as tape:
            loss = tsc.nn.sampled_softmax_loss(w, b, P.labels, P.inputs, **P.arguments)
            total = tf.reduce_sum(loss * P.upstream)
        return loss, tape.gradient(total, [w, b])

    def step():
        return strategy.run(replica_step)

    loss, (dw, db) = (tf.function(step) if mode == "function" else step)()
    want, (ew, eb, _) = expected("softmax")
    for replica in range(2):
        assert_close(strategy.experimental_local_results(loss)[replica], want)
        assert_close(dense(strategy.experimental_local_results(dw)[replica]), ew)
        assert_close(dense(strategy.experimental_local_results(db)[replica]), eb)
