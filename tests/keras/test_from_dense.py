"""A `Dense` layer becomes a `SampledDense` and back, and so do the weights in files."""

import numpy as np
import pytest

from tests.keras.conftest import C, D, functional, logits_of, values
from tests.problems import assert_close

OPTIONS = {
    "kernel_initializer": "he_normal",
    "bias_initializer": "ones",
    "kernel_regularizer": "l2",
    "kernel_constraint": "unit_norm",
}


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid"])
def test_there_and_back(kerases, use_bias, activation, batch):
    x = batch[0]
    dense = kerases.keras.layers.Dense(
        C, activation=activation, use_bias=use_bias, name="out", dtype="float64", **OPTIONS
    )
    dense(x)
    # Other numbers than those of the initializers, which both layers have.
    random = np.random.RandomState(1)
    dense.set_weights([random.randn(*weight.shape) for weight in dense.get_weights()])
    before = dense(x)
    head = kerases.ours.layers.SampledDense.from_dense(dense)
    assert head.name == "out" and head.use_bias == use_bias and head.dtype == "float64"
    for name in OPTIONS:
        assert type(getattr(head, name)) is type(getattr(dense, name)), name
    back = head.to_dense(activation=activation)
    assert isinstance(back, kerases.keras.layers.Dense) and back.name == "out"
    assert_close(back(x), before)
    assert_close(kerases.keras.activations.get(activation)(head(x)), before)
    for got, want in zip(values(back.weights), values(dense.weights)):
        assert np.array_equal(got, want)
    for got, want in zip(values(head.weights), values(dense.weights)):
        assert np.array_equal(got.T, want)


def test_layers_without_weights(kerases):
    head = kerases.ours.layers.SampledDense.from_dense(kerases.keras.layers.Dense(C), name="mine")
    assert not head.built and head.num_classes == C and head.name == "mine"
    assert not head.to_dense().built and head.to_dense().units == C


def test_a_shared_kernel_is_copied(kerases, batch):
    table = kerases.keras.layers.Embedding(C + 3, D)
    head = kerases.ours.layers.SampledDense(C, kernel=table)
    want = head(batch[0])
    dense = head.to_dense()
    assert_close(dense(batch[0]), want)
    assert all(weight is not table.embeddings for weight in dense.weights)


def test_refusals(kerases):
    keras, make = kerases.keras, kerases.ours.layers.SampledDense.from_dense
    with pytest.raises(TypeError, match="layer: expected a .*layers.Dense"):
        make(keras.layers.LayerNormalization())
    with pytest.raises(ValueError, match="layer: expected the activation 'linear', 'softmax'"):
        make(keras.layers.Dense(C, activation="relu"))
    with pytest.raises(ValueError, match="kernel: expected none"):
        make(keras.layers.Dense(C), kernel=keras.layers.Embedding(C, D))


def test_an_activity_regularizer_is_carried(kerases, batch):
    dense = kerases.keras.layers.Dense(C, activity_regularizer=kerases.keras.regularizers.L2(0.5))
    dense(batch[0])
    head = kerases.ours.layers.SampledDense.from_dense(dense)
    again = type(head).from_config(head.get_config())
    back = head.to_dense()
    for layer in (head, again, back):
        assert float(layer.activity_regularizer.l2) == 0.5
    dense(batch[0]), head(batch[0])
    (got,), (want,) = head.losses, dense.losses
    assert float(got) == pytest.approx(float(want), rel=1e-5) and got > 0


def test_an_activity_regularizer_that_would_see_other_values_is_refused(kerases):
    dense = kerases.keras.layers.Dense(C, activation="softmax", activity_regularizer="l2")
    make = kerases.ours.layers.SampledDense.from_dense
    with pytest.raises(ValueError, match="layer: expected no activation beside an activity_regu"):
        make(dense)
    assert make(dense, activity_regularizer=None).activity_regularizer is None
    head = kerases.ours.layers.SampledDense(C, activity_regularizer="l2")
    with pytest.raises(ValueError, match="activation: expected no activation beside"):
        head.to_dense(activation="softmax")
    assert head.to_dense(activation="softmax", activity_regularizer="l1").activity_regularizer


def test_a_quantized_layer_is_refused(kerases, batch):
    if not hasattr(kerases.keras.layers.Dense, "quantize"):
        pytest.skip("this Keras has no quantization")
    dense = kerases.keras.layers.Dense(C)
    dense(batch[0])
    dense.quantize("int8")
    with pytest.raises(ValueError, match="before the layer is quantized, got .* to int8"):
        kerases.ours.layers.SampledDense.from_dense(dense)


def with_output(kerases, output):
    inputs = kerases.keras.Input([D])
    hidden = kerases.keras.layers.Dense(16, activation="relu", name="hidden")(inputs)
    return kerases.keras.Model(inputs, output(hidden))


def swapped(kerases, model, swap):
    """Returns the model with another output layer; all other layers are shared."""
    *_, last = model.layers
    return kerases.keras.models.clone_model(
        model, clone_function=lambda layer: swap(layer) if layer is last else layer
    )


def test_a_models_weights_file_in_both_directions(kerases, batch, tmp_path):
    """By way of a model with the layer that wrote the file."""
    x = batch[0]
    path = str(tmp_path / "w.weights.h5")
    keras, ours = kerases.keras, kerases.ours.layers.SampledDense
    old = with_output(kerases, keras.layers.Dense(C))
    old.save_weights(path)
    loaded = with_output(kerases, keras.layers.Dense(C))
    loaded.load_weights(path)
    new = swapped(kerases, loaded, ours.from_dense)
    assert isinstance(new.layers[-1], ours)
    assert_close(logits_of(new, x), logits_of(old, x))

    new.save_weights(path)
    loaded = with_output(kerases, ours(C))
    loaded.load_weights(path)
    again = swapped(kerases, loaded, lambda head: head.to_dense())
    assert_close(logits_of(again, x), logits_of(old, x))


def test_a_weights_file_with_the_layer_as_an_attribute(kerases, batch, tmp_path):
    """tf_keras's path in the file is the attribute's name, so that no other model is needed."""
    if kerases.is_3:
        pytest.skip("Keras 3 names the layer by its class")

    class Classifier(kerases.keras.Model):
        def __init__(self, output):
            super().__init__()
            self.output_layer = output

        def call(self, inputs):
            return self.output_layer(inputs)

    x = batch[0]
    old = Classifier(kerases.keras.layers.Dense(C))
    new = Classifier(kerases.ours.layers.SampledDense(C))
    old(x), new(x)
    old.save_weights(str(tmp_path / "w.weights.h5"))
    new.load_weights(str(tmp_path / "w.weights.h5"))
    assert_close(new(x), old(x))


def test_a_file_without_the_heads_weights_says_how(kerases, tmp_path):
    path = str(tmp_path / "w.weights.h5")
    with_output(kerases, kerases.keras.layers.Dense(C)).save_weights(path)
    with pytest.raises(ValueError, match="SampledDense.from_dense"):
        with_output(kerases, kerases.ours.layers.SampledDense(C)).load_weights(path)


def test_clone_model_and_set_weights(kerases, batch):
    x = batch[0]
    model = functional(kerases)
    copy = kerases.keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    assert np.array_equal(logits_of(copy, x), logits_of(model, x))
