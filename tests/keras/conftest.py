"""Both Kerases (`keras` and `tf_keras`), and models of each kind."""

import importlib
import importlib.util
import types

import numpy as np
import pytest
import tensorflow as tf

C, D, N = 50, 8, 64


def _kerases(name):
    if name == "tf_keras" and importlib.util.find_spec("tf_keras") is None:
        pytest.skip("tf_keras is not installed")
    ours = importlib.import_module(f"tf_sampled_compat.{name}")
    keras = tf.keras if name == "keras" else importlib.import_module("tf_keras")
    return types.SimpleNamespace(name=name, keras=keras, ours=ours, is_3=hasattr(keras, "Variable"))


@pytest.fixture(params=["keras", "tf_keras"])
def kerases(request):
    """A Keras (`.keras`) and our namespace for it (`.ours`)."""
    made = _kerases(request.param)
    yield made
    made.keras.mixed_precision.set_global_policy("float32")
    made.keras.backend.clear_session()


@pytest.fixture
def batch():
    """Inputs and labels of N examples."""
    r = np.random.RandomState(0)
    return r.randn(N, D).astype(np.float32), r.randint(0, C, N)


def functional(kerases, num_classes=C, **options):
    inputs = kerases.keras.Input([D])
    hidden = kerases.keras.layers.Dense(16, activation="relu")(inputs)
    head = kerases.ours.layers.SampledDense(num_classes, name="head", **options)
    return kerases.keras.Model(inputs, head(hidden))


def sequential(kerases):
    return kerases.keras.Sequential(
        [
            kerases.keras.layers.Dense(16, activation="relu"),
            kerases.ours.layers.SampledDense(C, name="head"),
        ]
    )


def subclassed(kerases):
    return subclass(kerases)()


_subclasses = {}


def subclass(kerases):
    """Makes a model whose `call` has no `training`, so Keras 3 passes none to its layers."""
    if kerases.name not in _subclasses:

        @kerases.keras.utils.register_keras_serializable(package="tests")
        class Classifier(kerases.keras.Model):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.hidden = kerases.keras.layers.Dense(16, activation="relu")
                self.head = kerases.ours.layers.SampledDense(C, name="head")

            def call(self, inputs):
                return self.head(self.hidden(inputs))

            def get_config(self):
                return {}

            @classmethod
            def from_config(cls, config):
                return cls()

        _subclasses[kerases.name] = Classifier
    return _subclasses[kerases.name]


MODELS = {"functional": functional, "sequential": sequential, "subclassed": subclassed}


def head_of(model):
    return next(layer for layer in model.layers if layer.name == "head")


def values(weights):
    return [np.array(weight) for weight in weights]


def logits_of(model, x):
    return model.predict(x, verbose=0)


def exact_softmax(model, x, y):
    """Computes the softmax loss of each example by TensorFlow, from the whole matrix of logits."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits_of(model, x)).numpy()
