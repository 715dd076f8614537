"""SampledDense equals Dense with the transposed kernel, with its own or a shared table."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import C, D, functional, head_of, logits_of
from tests.problems import assert_close


def test_logits_are_denses(kerases, batch):
    x = batch[0]
    head = kerases.ours.layers.SampledDense(C, bias_initializer="random_normal")
    dense = kerases.keras.layers.Dense(C)
    dense.build((None, D))
    for shape in ((-1, D), (4, -1, D)):
        inputs = tf.reshape(x, shape)
        logits = head(inputs)
        dense.set_weights([np.array(head.kernel).T, np.array(head.bias)])
        assert_close(logits, dense(inputs))
        assert tuple(head.compute_output_shape(inputs.shape)) == tuple(logits.shape)


def test_without_bias(kerases, batch):
    x, y = batch
    model = functional(kerases, use_bias=False)
    model.compile(
        "sgd",
        kerases.ours.losses.SampledSoftmax(10),
        metrics=[kerases.ours.metrics.ExactRecallAtK(3), kerases.ours.metrics.ExactMRR()],
    )
    head = head_of(model)
    assert [tuple(w.shape) for w in head.weights] == [(C, 16)] and head.bias is None
    before = np.array(head.kernel)
    model.fit(x, y, verbose=0)
    assert (np.array(head.kernel) != before).any()
    want = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits_of(model, x))
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0)[0], tf.reduce_mean(want), rtol=1e-5)


def test_initializers_regularizers_and_constraints(kerases, batch):
    x, y = batch
    head_options = {
        "kernel_initializer": "ones",
        "bias_initializer": "ones",
        "kernel_regularizer": "l2",
        "bias_regularizer": "l2",
        "kernel_constraint": "unit_norm",
        "bias_constraint": "non_neg",
    }
    model = functional(kerases, **head_options)
    head = head_of(model)
    assert (np.array(head.kernel) == 1).all() and (np.array(head.bias) == 1).all()
    np.testing.assert_allclose(float(sum(model.losses)), 0.01 * (16 * C + C), rtol=1e-5)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10))
    model.fit(x, y, verbose=0)
    kernel = np.array(head.kernel)
    assert np.linalg.norm(kernel) < C and (np.array(head.bias) >= 0).all()
    # unit_norm's axis is Dense's, so each class has a vector of length one.
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=1), 1.0, rtol=1e-4)
    again = type(head).from_config(head.get_config())
    assert again.get_config() == head.get_config()
    for name in head_options:
        assert type(getattr(again, name)) is type(getattr(head, name)), name


def test_top_k(kerases, batch):
    head = kerases.ours.layers.SampledDense(C, bias_initializer="random_normal")
    with pytest.raises(ValueError, match="top_k: expected a layer that has been built"):
        head.top_k(batch[0], 2)
    for shape in ((-1, D), (4, -1, D)):
        hidden = tf.reshape(batch[0], shape)
        want, want_ids = tf.math.top_k(head(hidden), 7)
        logits, ids = head.top_k(hidden, 7)
        assert_close(logits, want)
        assert np.array_equal(ids, want_ids)


def tied(kerases):
    keras, ours = kerases.keras, kerases.ours
    words = keras.layers.Embedding(C + 3, 16, name="words")
    tokens = keras.Input([5], dtype="int32")
    hidden = keras.layers.GlobalAveragePooling1D()(words(tokens))
    first = ours.layers.SampledDense(C, kernel=words, name="first")
    second = ours.layers.SampledDense(C, kernel=first, use_bias=False, name="second")
    model = keras.Model(tokens, [first(hidden), second(hidden)])
    compile_tied(kerases, model)
    return model


def compile_tied(kerases, model):
    losses = kerases.ours.losses
    model.compile("adam", [losses.SampledSoftmax(10), losses.NCE(10)])


@pytest.mark.parametrize("copied", ["not", "saved", "cloned"])
def test_two_heads_share_an_embedding(kerases, copied, tmp_path):
    r = np.random.RandomState(0)
    tokens, y = r.randint(0, C, (32, 5)), r.randint(0, C, 32)
    model = tied(kerases)
    model.fit(tokens, [y, y], verbose=0)
    if copied == "saved":
        model.save(tmp_path / "tied.keras")
        copy = kerases.keras.models.load_model(tmp_path / "tied.keras")
    elif copied == "cloned":
        copy = kerases.keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        compile_tied(kerases, copy)
    else:
        copy = model
    for got, want in zip(logits_of(copy, tokens), logits_of(model, tokens)):
        assert np.array_equal(got, want)
    table = copy.get_layer("words").embeddings
    assert all(copy.get_layer(name).kernel is table for name in ("first", "second"))
    shapes = [tuple(weight.shape) for weight in copy.trainable_weights]
    assert shapes == [(C + 3, 16), (C,)]
    before = np.array(table)
    copy.fit(tokens, [y, y], verbose=0)
    assert (np.array(table) != before).any()


def test_a_variable_as_kernel(kerases, batch):
    keras = kerases.keras
    own = keras.Variable if kerases.is_3 else tf.Variable
    variable = own(np.ones([C, D], np.float32))
    head = kerases.ours.layers.SampledDense(C, kernel=variable)
    head(batch[0])
    assert any(weight is variable for weight in head.trainable_weights)
    with pytest.raises(ValueError, match="kernel: expected a layer, to describe"):
        head.get_config()


def test_a_copy_that_finds_nothing_to_share_is_an_error(kerases, batch):
    words = kerases.keras.layers.Embedding(C, D)
    words(np.zeros([1, 1]))
    head = kerases.ours.layers.SampledDense(C, kernel=words)
    head(batch[0])
    copy = type(head).from_config(head.get_config())
    with pytest.raises(ValueError, match="kernel: expected a layer that has been called"):
        copy(batch[0])


@pytest.mark.parametrize("source", ["embedding", "head"])
def test_a_layer_that_was_never_called_is_shared(kerases, source, batch):
    """The head makes its weights, so that nothing is missing when `fit` begins."""
    x, y = batch
    keras, ours = kerases.keras, kerases.ours
    if source == "embedding":
        shared = keras.layers.Embedding(C + 3, 16, name="items")
    else:
        shared = ours.layers.SampledDense(C, name="items")
    head = ours.layers.SampledDense(C, kernel=shared, use_bias=False, name="head")
    model = keras.Sequential([keras.layers.Dense(16), head])
    model.compile("sgd", ours.losses.SampledSoftmax(10))
    model.fit(x, y, verbose=0)
    table = shared.embeddings if source == "embedding" else shared.kernel
    assert head.kernel is table and any(weight is table for weight in model.trainable_weights)
    before = np.array(table)
    model.fit(x, y, verbose=0)
    assert (np.array(table) != before).any()


def test_too_few_rows_are_an_error_at_construction(kerases):
    words = kerases.keras.layers.Embedding(C - 1, D)
    with pytest.raises(ValueError, match="kernel: expected a table of at least num_classes = 50"):
        kerases.ours.layers.SampledDense(C, kernel=words)


def test_kernels_of_no_use_are_errors(kerases, batch):
    keras, make = kerases.keras, kerases.ours.layers.SampledDense
    with pytest.raises(ValueError, match="num_classes: expected at least 1"):
        make(0)
    with pytest.raises(TypeError, match="kernel: expected an Embedding layer"):
        make(C, kernel=np.zeros([C, D]))
    if kerases.is_3:
        with pytest.raises(TypeError, match="keras.Variable"):
            make(C, kernel=tf.Variable(tf.zeros([C, D])))
    words = keras.layers.Embedding(C - 1, D)
    words(np.zeros([1, 1]))
    with pytest.raises(ValueError, match=f"kernel: expected a table of at least num_classes = {C}"):
        make(C, kernel=words)(batch[0])
    norm = keras.layers.LayerNormalization()
    norm(batch[0])
    with pytest.raises(ValueError, match="kernel: expected a layer with a table"):
        make(C, kernel=norm)(batch[0])
