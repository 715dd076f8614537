"""Candidates `[B, S]`: each class is looked up once, and no tensor has a row for each candidate."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.own_negatives_problem import own
from tests.problems import assert_close, problem
from tf_sampled_compat.core.backends import row_logits

pytestmark = pytest.mark.no_op_seeds


def step(mode, padding_label=None):
    """Returns the gradients by variables, of a batch in which classes repeat."""
    p = problem(C=400, B=5, T=2, S=40, seed=1)
    p.labels[:, 0] = 3
    labels = np.where(np.arange(2) < 1, p.labels, -1) if padding_label else p.labels
    sampled = np.random.RandomState(0).randint(100, 130, [5, 40])
    weights, biases = tf.Variable(p.weights), tf.Variable(p.biases)

    def gradients():
        with tf.GradientTape() as tape:
            loss = tsc.nn.sampled_softmax_loss(
                weights, biases, labels, p.inputs, 40, 400, 2, (sampled, 1.0, 1.0),
                padding_label=padding_label)  # fmt: skip
        return tape.gradient(loss, [weights, biases])

    if mode != "eager":
        gradients = tf.function(gradients, jit_compile=mode == "xla", autograph=False)
    return gradients(), {*labels[labels >= 0].tolist(), *sampled.ravel().tolist()}


@pytest.mark.parametrize("padding_label", [None, -1])
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_a_gradient_has_each_class_once(mode, padding_label, implementation):
    if mode == "xla" and implementation == "fused":
        return
    gradients, classes = step(mode, padding_label)
    for gradient in gradients:
        ids = gradient.indices.numpy().tolist()
        assert set(ids) == classes
        if mode != "xla":
            assert len(ids) == len(classes)
            continue
        # The shape cannot depend on values: the last class fills the list up, with zeros.
        assert len(ids) == 5 * 40 + 5 * 2
        assert sorted(ids[: len(classes)]) == sorted(classes)
        assert not np.any(gradient.values[len(classes) :])


def test_under_xla_the_list_is_no_longer_than_the_table():
    p = own()
    weights = tf.Variable(p.weights)

    @tf.function(jit_compile=True, autograph=False)
    def ids():
        with tf.GradientTape() as tape:
            loss = tsc.nn.sampled_softmax_loss(weights, p.biases, p.labels, p.inputs, **p.arguments)
        return tape.gradient(loss, weights).indices

    assert len(ids()) == len(p.weights)


def tensors_of(graph):
    """Yields the static shapes of a graph and of the functions that it calls."""
    for node in graph.get_operations():
        for output in node.outputs:
            yield output.shape
    for function in graph._functions.values() if hasattr(graph, "_functions") else ():
        yield from tensors_of(function.graph)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_no_tensor_has_a_row_for_each_candidate(jit_compile, implementation, monkeypatch):
    """Neither forward nor backward, where few classes stand in many places."""
    if jit_compile and implementation == "fused":
        return
    monkeypatch.setattr(row_logits, "CHUNK_NUMBERS", 2**12)
    batch, sampled, dim, classes = 32, 128, 64, 100
    rng = np.random.RandomState(0)
    weights = tf.Variable(rng.randn(classes, dim).astype("f"))
    ids = rng.randint(0, classes, [batch, sampled])
    inputs = tf.constant(rng.randn(batch, dim).astype("f"))

    @tf.function(jit_compile=jit_compile, autograph=False)
    def gradient(inputs):
        with tf.GradientTape() as tape:
            loss = tsc.nn.sampled_softmax_loss(
                weights, tf.zeros([classes]), ids[:, :1], inputs, sampled, classes,
                sampled_values=(ids, 1.0, 1.0), label_smoothing=0.1)  # fmt: skip
        return tf.convert_to_tensor(tape.gradient(loss, weights))

    graph = gradient.get_concrete_function(inputs).graph
    known = [shape.num_elements() for shape in tensors_of(graph) if shape.is_fully_defined()]
    assert max(known) == classes * dim < batch * sampled * dim
    assert np.isfinite(gradient(inputs)).all()


def test_a_chunk_is_no_larger_than_the_rows(monkeypatch):
    """Or than the limit: the sizes that no graph knows."""
    monkeypatch.setattr(row_logits, "CHUNK_NUMBERS", 500)
    gathered, take = [], row_logits.take

    def watched(rows, positions):
        taken = take(rows, positions)
        gathered.append(taken.shape.num_elements())
        return taken

    monkeypatch.setattr(row_logits, "take", watched)
    p = problem(C=100, D=8, B=20, S=50)
    inputs, ids = tf.Variable(p.inputs), np.random.RandomState(0).randint(0, 100, [20, 50])
    with tf.GradientTape() as tape:
        loss = tsc.nn.sampled_softmax_loss(
            p.weights, p.biases, ids[:, :1], inputs, 50, 100,
            sampled_values=(ids, 1.0, 1.0), implementation="composite")  # fmt: skip
    assert len(gathered) == 17 + 1  # Three columns of 20 · 8 numbers, and the biases.
    assert max(gathered[:-1]) == 3 * 20 * 8 and gathered[-1] == 51 * 20
    del gathered[:]
    tape.gradient(loss, inputs)
    rows = len({*ids.ravel().tolist()})
    assert 500 < max(gathered) <= rows * 8 and len(gathered) > 51 * 20 // rows


@pytest.mark.parametrize("sizes", [(4, 6, 3), (4, 0, 3), (0, 6, 3), (4, 6, 0)], ids=str)
@pytest.mark.parametrize("mode", ["eager", "graph", "unknown shapes", "xla"])
def test_chunks_equal_the_whole(sizes, mode, monkeypatch):
    batch, columns, dim = sizes
    rng = np.random.RandomState(0)
    inputs, rows, biases = (tf.constant(rng.randn(*s)) for s in ([batch, dim], [5, dim], [5]))
    positions = tf.constant(rng.randint(0, 5, [batch, columns]), tf.int32)
    upstream = tf.constant(rng.randn(batch, columns))

    def results(inputs, rows, biases, positions):
        with tf.GradientTape() as tape:
            tape.watch([inputs, rows, biases])
            logits = row_logits.row_logits(inputs, rows, biases, positions)
            total = tf.reduce_sum(logits * upstream)
        return logits, *tape.gradient(total, [inputs, rows, biases])

    expected = results(inputs, rows, biases, positions)
    monkeypatch.setattr(row_logits, "CHUNK_NUMBERS", 2 * batch * dim)
    if mode != "eager":
        shapes = [None, dim], [None, dim], [None], [None, None]
        dtypes = 3 * [tf.float64] + [tf.int32]
        unknown = [tf.TensorSpec(*spec) for spec in zip(shapes, dtypes)]
        results = tf.function(
            results,
            jit_compile=mode == "xla",
            input_signature=unknown if mode == "unknown shapes" else None,
            autograph=False,
        )
    for value, want in zip(results(inputs, rows, biases, positions), expected):
        assert_close(value, want, 1e-14)


def test_derivatives_of_second_order(implementation, monkeypatch):
    """The product of a vector and the Hessian is the difference of two gradients."""
    monkeypatch.setattr(row_logits, "CHUNK_NUMBERS", 1)
    p = own()
    direction = np.random.RandomState(0).randn(*p.weights.shape)

    def gradient(weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tsc.nn.sampled_softmax_loss(
                weights, p.biases.astype("d"), p.labels, p.inputs.astype("d"), **p.arguments
            )
        return tf.convert_to_tensor(tape.gradient(loss, weights))

    weights = tf.constant(p.weights, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        along = tf.reduce_sum(gradient(weights) * direction)
    difference = (
        gradient(weights + 1e-5 * direction) - gradient(weights - 1e-5 * direction)
    ) / 2e-5
    assert_close(tf.convert_to_tensor(tape.gradient(along, weights)), difference, 1e-8)
