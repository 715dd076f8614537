"""NaN and where it came from."""

import numpy as np
import pytest
import tensorflow as tf

from tests.diagnose.conftest import D, inputs, model_of, probing, zipf
from tests.keras.conftest import head_of
from tf_sampled_compat.diagnose import nonfinite

C = 500
X, Y = inputs(64), zipf(C, 64)


def found(kerases, model, x=X):
    with probing(kerases, model, x, Y) as probe:
        [finding] = nonfinite.findings(probe)
    return finding


def with_layer(kerases, function):
    """A model whose second layer is a function of the hidden numbers."""
    keras, ours = kerases.keras, kerases.ours
    x = keras.Input([D])
    hidden = keras.layers.Dense(16, name="hidden")(x)
    hidden = keras.layers.Lambda(function, output_shape=(16,), name="culprit")(hidden)
    hidden = keras.layers.Dense(16, name="after")(hidden)
    model = keras.Model(x, ours.layers.SampledDense(C, name="head")(hidden))
    model.compile("sgd", ours.losses.SampledSoftmax(64))
    return model


def test_a_healthy_model(kerases):
    assert found(kerases, model_of(kerases)).severity == "ok"


def test_an_input(kerases):
    x = np.array(X)
    x[0, :3] = np.nan
    finding = found(kerases, model_of(kerases), x)
    assert finding.severity == "error" and "3 of 256 numbers of x" in finding.seen


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_weight(kerases, bad):
    model = model_of(kerases)
    kernel, bias = head_of(model).get_weights()
    kernel[7, :2] = bad
    head_of(model).set_weights([kernel, bias])
    finding = found(kerases, model)
    assert finding.severity == "error" and "head" in finding.seen and "kernel" in finding.seen
    assert "has 2 numbers" in finding.seen


def test_a_layer(kerases):
    finding = found(kerases, with_layer(kerases, lambda h: tf.math.log(h - 1e9)))
    assert finding.severity == "error" and "'culprit'" in finding.seen
    assert "nan" in finding.cost


def test_a_gradient(kerases):
    """The root of zero is zero, and its gradient is infinite."""
    finding = found(kerases, with_layer(kerases, lambda h: tf.sqrt(tf.nn.relu(h - 1e9))))
    assert finding.severity == "error" and "is finite, the gradient of" in finding.seen
    assert "hidden" in finding.seen


def test_the_loss(kerases):
    class Diverged(kerases.ours.losses.SampledSoftmax):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return super().__call__(y_true, y_pred, sample_weight) * float("inf")

    loss = Diverged(64)
    finding = found(kerases, model_of(kerases, loss=loss))
    assert finding.severity == "error" and "expected counts" in finding.way_out


def test_layers_are_as_before(kerases):
    model = with_layer(kerases, lambda h: tf.math.log(h - 1e9))
    found(kerases, model)
    assert not [layer.name for layer in model.layers if "call" in vars(layer)]
