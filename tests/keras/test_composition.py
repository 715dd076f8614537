"""The terms in Keras: each loss equals the function of `tsc.nn`, in training and in evaluation."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close

C, D, B = 30, 4, 8
CANDIDATES = np.arange(0, 20, 2)
SCALING = {"normalize": True, "temperature": 0.2}
OPTIONS = {"margin": tsc.margins.ArcFace(0.3), "label_smoothing": 0.1, "z_loss": 0.01}


def sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None):
    """Always the same candidates."""
    del num_sampled, unique, range_max, seed
    shape = tf.shape(true_classes)[0], num_true
    return tf.constant(CANDIDATES, tf.int64), tf.fill(shape, 0.4), tf.fill([10], 0.3)


def data():
    r = np.random.RandomState(0)
    return r.randn(B, D).astype("f"), r.randint(0, C, B)


def model_of(kerases, loss, **scaling):
    keras = kerases.keras
    inputs = keras.Input([D])
    head = kerases.ours.layers.SampledDense(C, bias_initializer="random_normal", **scaling)
    model = keras.Model(inputs, head(inputs))
    model.compile("sgd", loss)
    return model, head


@pytest.mark.parametrize("name", ["SampledSoftmax", "SampledSparseSoftmax", "NCE"])
def test_training_and_evaluation(kerases, name):
    options = {k: v for k, v in OPTIONS.items() if name != "NCE" or k != "z_loss"}
    loss = getattr(kerases.ours.losses, name)(10, sampler=sampler, **options)
    model, head = model_of(kerases, loss, **SCALING)
    x, y = data()
    tables = [tf.convert_to_tensor(weight) for weight in model.get_weights()]
    function = {
        "SampledSoftmax": tsc.nn.sampled_softmax_loss,
        "SampledSparseSoftmax": tsc.nn.sampled_sparse_softmax_loss,
        "NCE": tsc.nn.nce_loss,
    }[name]
    wanted = function(*tables, y[:, None], x, 10, C, sampler=sampler, **SCALING, **options)
    exact = tsc.nn.full_sigmoid_loss if name == "NCE" else tsc.nn.full_softmax_loss
    wanted_exact = exact(*tables, y[:, None], x, label_smoothing=0.1, **SCALING)
    assert_close(model.evaluate(x, y, verbose=0), tf.reduce_mean(wanted_exact), 1e-5)
    assert_close(model.train_on_batch(x, y), tf.reduce_mean(wanted), 1e-5)


@pytest.mark.parametrize("calibration", [0.0, 0.75])
def test_binary_crossentropy(kerases, calibration):
    losses = kerases.ours.losses
    model, _ = model_of(kerases, losses.SampledBinaryCrossentropy(10, 1, calibration, seed=4))
    x, y = data()
    tables = [tf.convert_to_tensor(weight) for weight in model.get_weights()]
    exact = tsc.nn.full_sigmoid_loss(*tables, y[:, None], x, label_weights=np.ones([B, 1]))
    assert_close(model.evaluate(x, y, verbose=0), tf.reduce_mean(exact), 1e-5)
    # All other classes are candidates, so that each draw gives the same loss.
    loss = losses.SampledBinaryCrossentropy(C - 1 if calibration else C, 1, calibration)
    model.compile("sgd", loss)
    value = model.train_on_batch(x, y)
    if calibration:
        assert 0 < value < tf.reduce_mean(exact)  # A smaller power, and one class fewer.
    else:
        assert_close(value, tf.reduce_mean(exact), 1e-5)
    again = losses.SampledBinaryCrossentropy.from_config(loss.get_config())
    assert again.calibration == calibration
    with pytest.raises(ValueError, match="calibration: expected a number in"):
        losses.SampledBinaryCrossentropy(5, calibration=2)


def test_logits_and_rankings_are_those_of_the_loss(kerases):
    model, head = model_of(kerases, kerases.ours.losses.SampledSoftmax(5), **SCALING)
    x, y = data()
    kernel, bias = model.get_weights()
    unit = lambda a: a / np.linalg.norm(a, axis=-1, keepdims=True)  # noqa: E731
    logits = (unit(x) @ unit(kernel).T + bias) / 0.2
    assert_close(model.predict(x, verbose=0), logits, 1e-5)
    values, ids = head.top_k(x, 3)
    order = np.argsort(-logits, axis=1)[:, :3]
    np.testing.assert_array_equal(ids, order)
    assert_close(values, np.take_along_axis(logits, order, axis=1), 1e-5)
    recall = kerases.ours.metrics.ExactRecallAtK(3)
    recall.update_state(y, model(x))
    assert_close(recall.result(), np.mean([c in row for c, row in zip(y, order)]), 1e-6)


def test_saved_and_loaded(kerases, tmp_path):
    loss = kerases.ours.losses.SampledSoftmax(10, sampler="uniform", **OPTIONS)
    model, _ = model_of(kerases, loss, **SCALING)
    x, y = data()
    model.fit(x, y, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = kerases.keras.models.load_model(path)
    assert loaded.loss.margin == OPTIONS["margin"]
    assert (loaded.loss.label_smoothing, loaded.loss.z_loss) == (0.1, 0.01)
    assert_close(loaded.predict(x, verbose=0), model.predict(x, verbose=0), 1e-6)
    loaded.fit(x, y, verbose=0)


def test_words_for_mistakes(kerases):
    losses, layers = kerases.ours.losses, kerases.ours.layers
    for options, words in (
        ({"margin": 0.5}, "margin: expected a function of cosines"),
        ({"label_smoothing": 1.0}, r"label_smoothing: expected a number in \[0, 1\), got 1.0"),
        ({"z_loss": -1}, "z_loss: expected a number >= 0, got -1"),
        ({"temperature": 0.1}, "temperature: expected none: it is an argument of the SampledDense"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            losses.SampledSoftmax(5, **options)
    with pytest.raises(ValueError, match="temperature: expected a positive finite number, got -1"):
        layers.SampledDense(5, temperature=-1)
    model, head = model_of(kerases, losses.SampledSoftmax(5, margin=tsc.margins.CosFace(0.1)))
    with pytest.raises(ValueError, match="margin: expected normalize=True beside it"):
        model.train_on_batch(*data())
    head = layers.SampledDense(5, normalize=True)
    with pytest.raises(ValueError, match="to_dense: expected a head with normalize=False"):
        head.to_dense()
