"""A table's gradient has TensorFlow's slices (indices, values, order), or each id once."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem

LOSSES = ["sampled_softmax_loss", "nce_loss"]
losses = pytest.mark.parametrize("loss", LOSSES)
implementations = pytest.mark.parametrize("implementation", ["fused", "composite"])


def gradients(function, p, pieces=1, rows=None, **options):
    """Returns the loss of a traced function and its gradients by weights, biases and inputs."""
    weights = [tf.Variable(piece) for piece in np.array_split(p.weights, pieces)]
    biases = [tf.Variable(piece) for piece in np.array_split(p.biases, pieces)]
    inputs = tf.constant(p.inputs[:rows])
    arguments = {**p.arguments, **options}

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(
                weights if pieces > 1 else weights[0],
                biases if pieces > 1 else biases[0],
                p.labels,
                inputs,
                **arguments,
            )
            total = tf.reduce_sum(value * p.upstream[:rows])
        return value, tape.gradient(total, [*weights, *biases, inputs])

    return run()


def assert_same_slices(got, want):
    assert len(got) == len(want)
    for mine, theirs in zip(got, want):
        assert type(mine) is type(theirs)
        if isinstance(mine, tf.IndexedSlices):
            np.testing.assert_array_equal(mine.indices, theirs.indices)
            mine, theirs = mine.values, theirs.values
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strategy", ["div", "mod"])
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("hits", [False, True])
@pytest.mark.parametrize("repeated", [False, True])
@implementations
@losses
def test_slices_are_tensorflows(loss, implementation, repeated, hits, pieces, strategy):
    p = problem(B=7, T=2, D=6, repeated=repeated)
    p.labels[3] = p.labels[2]
    options = {"remove_accidental_hits": hits, "partition_strategy": strategy}
    stock = gradients(getattr(tf.compat.v1.nn, loss), p, pieces, **options)
    with tsc.implementation(implementation):
        ours = gradients(getattr(tsc.compat.v1.nn, loss), p, pieces, **options)
    np.testing.assert_allclose(ours[0], stock[0], rtol=1e-5)
    assert_same_slices(ours[1], stock[1])


@implementations
@losses
def test_a_clip_by_global_norm_is_tensorflows(loss, implementation):
    p = problem(B=7)
    p.labels[:] = p.labels[0]
    _, stock = gradients(getattr(tf.nn, loss), p)
    with tsc.implementation(implementation):
        _, ours = gradients(getattr(tsc.nn, loss), p)
        with tsc.gradient_slices("unique"):
            _, unique = gradients(getattr(tsc.nn, loss), p)
    np.testing.assert_allclose(tf.linalg.global_norm(ours), tf.linalg.global_norm(stock), rtol=1e-5)
    dense = [tf.convert_to_tensor(each) for each in stock]
    np.testing.assert_allclose(
        tf.linalg.global_norm(unique), tf.linalg.global_norm(dense), rtol=1e-5
    )
    assert abs(tf.linalg.global_norm(unique) / tf.linalg.global_norm(stock) - 1) > 0.005


@implementations
def test_unique_slices_hold_each_id_once_and_sum_to_the_same(implementation):
    p = problem(B=7, T=2, repeated=True)
    with tsc.implementation(implementation):
        _, occurrences = gradients(tsc.nn.sampled_softmax_loss, p)
        with tsc.gradient_slices("unique"):
            _, unique = gradients(tsc.nn.sampled_softmax_loss, p)
    for once, each in zip(unique[:2], occurrences[:2]):
        ids = once.indices.numpy()
        assert len(ids) == len(set(ids)) < len(each.indices)
        np.testing.assert_allclose(
            tf.convert_to_tensor(once), tf.convert_to_tensor(each), rtol=1e-4, atol=1e-5
        )


def test_who_chooses(monkeypatch):
    p = problem(B=7)
    p.labels[:] = p.labels[0]

    def chosen():
        _, (weights, *_) = gradients(tsc.nn.nce_loss, p)
        return "unique" if len(weights.indices) < 17 else "occurrence"

    assert chosen() == "occurrence"
    monkeypatch.setenv("TF_SAMPLED_COMPAT_GRADIENT_SLICES", "unique")
    assert chosen() == "unique"
    with tsc.installed(gradient_slices="occurrence"):
        assert chosen() == "occurrence"
        with tsc.gradient_slices("unique"):
            assert chosen() == "unique"
    assert chosen() == "unique"
    monkeypatch.setenv("TF_SAMPLED_COMPAT_GRADIENT_SLICES", "some")
    with pytest.raises(ValueError, match="TF_SAMPLED_COMPAT_GRADIENT_SLICES: expected 'occ"):
        chosen()
    with pytest.raises(ValueError, match="slices: expected"), tsc.gradient_slices("each"):
        pass


def test_under_xla_there_is_an_entry_for_each_occurrence():
    p = problem(B=7)
    with tsc.gradient_slices("unique"):

        @tf.function(jit_compile=True)
        def count():
            weights = tf.constant(p.weights)
            with tf.GradientTape() as tape:
                tape.watch(weights)
                value = tsc.nn.nce_loss(weights, p.biases, p.labels, p.inputs, **p.arguments)
            return tf.size(tape.gradient(value, weights).indices)

        assert count() == p.labels.size + p.sampled.size


# One row of labels for all inputs.


@pytest.mark.parametrize("hits", [False, True])
@implementations
@losses
def test_one_label_row_serves_all_inputs(loss, implementation, hits):
    p = problem(B=7, T=2)
    one = p._replace(labels=p.labels[:1], true_count=p.true_count[:1])
    assert set(one.labels[0]) & set(p.sampled)
    options = {"remove_accidental_hits": hits, "num_true": 2}
    stock = gradients(getattr(tf.nn, loss), one, **options)
    with tsc.implementation(implementation):
        ours = gradients(getattr(tsc.nn, loss), one, **options)
    np.testing.assert_allclose(ours[0], stock[0], rtol=1e-5)
    assert_same_slices(ours[1], stock[1])


@pytest.mark.parametrize("hits", [False, True])
@implementations
@losses
def test_one_label_row_that_only_the_graph_knows(loss, implementation, hits):
    p = problem(B=7, T=2)

    def run(module):
        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int64), tf.TensorSpec([None, 8])])
        def value(labels, inputs):
            values = (p.sampled, p.true_count[:1], p.sampled_count)
            return getattr(module, loss)(
                p.weights,
                p.biases,
                labels,
                inputs,
                10,
                50,
                num_true=2,
                sampled_values=values,
                remove_accidental_hits=hits,
            )

        return value

    with tsc.implementation(implementation):
        ours = run(tsc.nn)
        np.testing.assert_allclose(
            ours(p.labels[:1], p.inputs), run(tf.nn)(p.labels[:1], p.inputs), rtol=1e-5
        )
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels: expected as many rows"):
            ours(p.labels[:3], p.inputs)


def test_one_label_row_with_the_default_sampler():
    p = problem(B=7)

    def run(module):
        @tf.function  # A function has kernels of its own, which draw from the seed on.
        def value():
            return module.sampled_softmax_loss(
                p.weights, p.biases, tf.constant([[3]]), p.inputs, 3, 50, seed=1
            )

        return value()

    np.testing.assert_allclose(run(tsc.nn), run(tf.nn), rtol=1e-5)


def test_other_mismatches_stay_errors():
    p = problem(B=7)
    with pytest.raises(ValueError, match="labels: expected as many rows as inputs"):
        tsc.nn.nce_loss(p.weights, p.biases, p.labels[:3], p.inputs, 3, 50)


def test_never_in_keras():
    import keras

    model = keras.Sequential([tsc.keras.layers.SampledDense(50)])
    model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=5))
    with pytest.raises(Exception, match="(?i)labels|y_true|shape|rows"):
        model.train_on_batch(np.ones([8, 4], "f"), np.zeros([1], "i"))
