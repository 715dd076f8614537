"""Samplers after another `compile`, and weights of sequences."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import C, functional
from tests.keras.stateful_samplers import learned


def total(sampler):
    return int(tf.reduce_sum(sampler.counts()))


def with_sampler(kerases, sampler, model=None):
    model = functional(kerases) if model is None else model
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(6, sampler=sampler))
    return model


@pytest.mark.parametrize("how", [".keras", ".weights.h5", "checkpoint"])
def test_the_sampler_of_the_last_compile_is_saved(kerases, batch, tmp_path, how):
    x, y = batch
    model = with_sampler(kerases, learned())
    model.fit(x, y, verbose=0)
    last = learned()
    with_sampler(kerases, last, model).fit(x, y, epochs=2, verbose=0)
    again = learned()
    if how == ".keras":
        model.save(tmp_path / "m.keras")
        other = kerases.keras.models.load_model(tmp_path / "m.keras")
        again = other.loss.sampler
    elif how == ".weights.h5":
        model.save_weights(tmp_path / "m.weights.h5")
        other = with_sampler(kerases, again)
        other.load_weights(tmp_path / "m.weights.h5")
    else:
        path = tf.train.Checkpoint(model=model).save(str(tmp_path / "c"))
        other = with_sampler(kerases, again)
        tf.train.Checkpoint(model=other).restore(path)
    other.train_on_batch(x, y)
    assert total(last) == C + 2 * len(y)
    assert total(again) == C + 3 * len(y)


def test_weights_are_loaded_into_the_sampler_of_the_last_compile(kerases, batch, tmp_path):
    x, y = batch
    saved = with_sampler(kerases, learned())
    saved.fit(x, y, epochs=2, verbose=0)
    saved.save_weights(tmp_path / "m.weights.h5")
    model = with_sampler(kerases, learned())
    model.fit(x, y, verbose=0)
    last = learned()
    with_sampler(kerases, last, model)
    model.load_weights(tmp_path / "m.weights.h5")
    model.train_on_batch(x, y)
    assert total(last) == C + 3 * len(y)


def test_weights_of_examples_weigh_all_their_time_steps(kerases):
    """Also where there are as many steps as examples."""
    keras, ours = kerases.keras, kerases.ours
    inputs = keras.Input([4, 3])
    model = keras.Model(inputs, ours.layers.SampledDense(C)(inputs))
    model.compile("sgd", ours.losses.SampledSoftmax(6))
    x = np.random.RandomState(0).randn(4, 4, 3).astype("f")
    y, weights = np.arange(16).reshape(4, 4), np.array([1.0, 0, 0, 0.5], "f")
    got = model.evaluate(x, y, sample_weight=weights, batch_size=4, verbose=0)
    logits = tf.constant(model.predict(x, verbose=0))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
    assert got == pytest.approx(float(tf.reduce_sum(losses * weights[:, None])) / 16, rel=1e-5)
