"""A sampler in a layer of one's own: `layers.Sampler` brings its state into Keras's files."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D
from tests.keras.stateful_samplers import in_batch, learned, mixture

SAMPLERS = {"learned": (learned, 10), "in_batch": (in_batch, 16), "mixture": (mixture, 74)}
_registered = {}


def layer_of(kerases):
    if kerases.name not in _registered:

        @kerases.keras.utils.register_keras_serializable(package="tests_sampler_layer")
        class WithTable(kerases.keras.layers.Layer):
            """Adds its sampled loss itself."""

            def __init__(self, kind, **kwargs):
                super().__init__(**kwargs)
                self.kind, (make, self.size) = kind, SAMPLERS[kind]
                self.sampler = kerases.ours.layers.Sampler(make())

            def build(self, input_shape):
                self.table = self.add_weight(shape=(C, D), name="table")
                self.offsets = self.add_weight(shape=(C,), name="offsets")

            def call(self, inputs):
                x, y = inputs
                loss = tsc.nn.sampled_softmax_loss(
                    self.table,
                    self.offsets,
                    tf.reshape(y, [-1, 1]),
                    x,
                    self.size,
                    C,
                    sampler=self.sampler,
                    exclude_true=True,
                )
                self.add_loss(tf.reduce_mean(loss))
                return x

            def get_config(self):
                return {**super().get_config(), "kind": self.kind}

        _registered[kerases.name] = WithTable
    return _registered[kerases.name]


def model_of(kerases, kind):
    x, y = kerases.keras.Input([D]), kerases.keras.Input([], dtype="int64")
    kerases.keras.utils.set_random_seed(1)
    model = kerases.keras.Model([x, y], layer_of(kerases)(kind)([x, y]))
    model.compile("sgd")
    return model


@pytest.mark.parametrize("kind", SAMPLERS)
def test_every_file_has_the_state(kerases, kind, batch, tmp_path):
    x, y = batch
    model = model_of(kerases, kind)
    model.fit([x, y], batch_size=16, verbose=0)
    sampler = model.layers[-1].sampler.sampler
    assert len(model.trainable_weights) == 2
    model.save_weights(tmp_path / "m.weights.h5")
    model.save(tmp_path / "m.keras")
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "c"))
    weights, checkpoint = model_of(kerases, kind), model_of(kerases, kind)
    weights.load_weights(tmp_path / "m.weights.h5")
    tf.train.Checkpoint(model=checkpoint).restore(path)
    loaded = kerases.keras.models.load_model(tmp_path / "m.keras")
    want = saved(sampler)
    for other in (weights, checkpoint, loaded):
        got = saved(other.layers[-1].sampler.sampler)
        assert got.keys() == want.keys() and want
        for name, value in want.items():
            np.testing.assert_array_equal(got[name], value)


def saved(sampler):
    store = {}
    sampler.save_own_variables(store)
    return store


def test_it_is_the_sampler_of_a_loss(kerases, batch):
    """Its attributes too: padding is not learned, and a batch may bring fewer candidates."""
    layer = kerases.ours.layers.Sampler(in_batch())
    labels, mask = np.array([[1], [2], [0]]), np.array([[True], [True], [False]])
    assert layer.takes_mask and layer.draws_fewer
    assert len(layer(labels, 1, 3, False, C, mask=mask).sampled_candidates) == 2
    again = type(layer).from_config(layer.get_config())
    assert type(again.sampler) is type(layer.sampler)
    with pytest.raises(TypeError, match="sampler: expected a callable"):
        kerases.ours.layers.Sampler("uniform")
