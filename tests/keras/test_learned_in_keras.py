"""The learned sampler as an attribute of a model: trained by `fit`, compiled or not, and saved."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.alone import alone

X = np.random.RandomState(0).rand(64, 4).astype("f")
Y = np.random.RandomState(1).randint(0, 50, (64, 1))


@pytest.fixture(params=["keras", "tf_keras"])
def keras(request):
    return pytest.importorskip(request.param)


def model_of(keras, **options):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(8)
            self.table = self.add_weight(shape=(50, 8), name="table")
            self.offsets = self.add_weight(shape=(50,), name="offsets")
            self.sampler = tsc.random.LearnedUnigramSampler(50, seed=1)

        def call(self, x):
            return self.hidden(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = tsc.nn.sampled_softmax_loss(
                self.table, self.offsets, y, y_pred, 10, 50, sampler=self.sampler
            )
            return tf.reduce_mean(loss)

    model = Model()
    model.compile("sgd", **options)
    return model


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_and_a_checkpoint(keras, jit_compile, tmp_path):
    model = model_of(keras, jit_compile=jit_compile)
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
    counts = 1 + 2 * np.bincount(Y[:, 0], minlength=50)
    np.testing.assert_array_equal(model.sampler.counts(), counts)
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "checkpoint"))
    other = model_of(keras)
    other(X)
    tf.train.Checkpoint(model=other).restore(path).expect_partial()
    np.testing.assert_array_equal(other.sampler.counts(), counts)
    for got, want in zip(*(m.sampler(Y, 1, 20, True, 50) for m in (other, model))):
        np.testing.assert_array_equal(got, want)


def test_fit_under_a_strategy(keras):
    alone(__name__, f"import {keras.__name__}; fit_under_a_strategy({keras.__name__})")


def fit_under_a_strategy(keras):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = model_of(keras)
    model.fit(X, Y, batch_size=16, verbose=0)
    np.testing.assert_array_equal(model.sampler.counts(), 1 + np.bincount(Y[:, 0], minlength=50))
