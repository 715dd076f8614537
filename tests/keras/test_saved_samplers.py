"""Samplers with a state survive saving, wherever they hang."""

import copy
import pickle

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, functional, head_of
from tests.keras.stateful_samplers import (
    RESUMABLE,
    SAMPLERS,
    N,
    assert_same_state,
    compiled,
    data,
    learned,
    mixture,
    state_of,
)

samplers = pytest.mark.parametrize("kind", SAMPLERS)


def drawn(sampler, size):
    labels = np.arange(N)[:, None] % C
    return [np.array(part) for part in sampler(labels, 1, size, True, C)]


@samplers
@pytest.mark.parametrize("how", ["config", "pickle", "deepcopy"])
def test_a_sampler_alone(kind, how):
    make, size = SAMPLERS[kind]
    sampler = make()
    drawn(sampler, size)
    if how == "config":
        again = type(sampler).from_config(sampler.get_config())
        assert again.get_config() == sampler.get_config()
        again.load_own_variables(state_of(sampler))
    elif how == "pickle":
        again = pickle.loads(pickle.dumps(sampler))
    else:
        again = copy.deepcopy(sampler)
    assert again is not sampler
    assert_same_state(again, sampler)
    if kind in RESUMABLE:
        for got, want in zip(drawn(again, size), drawn(sampler, size)):
            np.testing.assert_array_equal(got, want)
        assert_same_state(again, sampler)


def test_what_samplers_share_stays_shared():
    first = mixture()
    for again in (
        pickle.loads(pickle.dumps(first)),
        copy.deepcopy(first),
        type(first).from_config(first.get_config()),
    ):
        assert again.samplers[1].frequencies is again.samplers[0]
        assert again.samplers[2] is not again.samplers[0]


@samplers
def test_keras_serializes_them(kerases, kind):
    sampler = SAMPLERS[kind][0]()
    keras = kerases.keras.utils
    again = keras.deserialize_keras_object(keras.serialize_keras_object(sampler))
    assert type(again) is type(sampler) and again.get_config() == sampler.get_config()
    name = keras.get_registered_name(type(sampler))
    assert name == f"tf_sampled_compat>{type(sampler).__name__}"


def rounded(labels, num_true, num_sampled, unique, range_max, seed=None):
    return tsc.random.uniform_candidate_sampler(
        labels, num_true, num_sampled, unique, range_max, seed=seed
    )


def test_a_function_of_ones_own_in_a_mixture(kerases):
    keras = kerases.keras
    keras.utils.register_keras_serializable(package="tests", name=f"r_{kerases.name}")(rounded)
    sampler = tsc.random.MixtureSampler([(learned(), 3), (rounded, 2)])
    loss = kerases.ours.losses.SampledSoftmax(5, sampler=sampler)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.sampler.samplers[1] is rounded and again.sampler.sizes == [3, 2]


@samplers
@pytest.mark.parametrize("how", [".keras", ".weights.h5", "checkpoint", "pickle", "deepcopy"])
def test_a_models_files_have_the_state(kerases, kind, how, batch, tmp_path):
    model = compiled(kerases, kind)
    if how == ".weights.h5":  # It need not hold the state of Adam.
        model.compile("sgd", model.loss)
    model.fit(data(batch), verbose=0)
    sampler = model.loss.sampler
    if how == ".keras":
        model.save(tmp_path / "m.keras")
        other = kerases.keras.models.load_model(tmp_path / "m.keras")
    elif how == ".weights.h5":
        model.save_weights(tmp_path / "m.weights.h5")
        other = compiled(kerases, kind)
        other.compile("sgd", other.loss)
        other.load_weights(tmp_path / "m.weights.h5")
    elif how == "checkpoint":
        path = tf.train.Checkpoint(model=model).save(str(tmp_path / "c"))
        other = compiled(kerases, kind)
        tf.train.Checkpoint(model=other).restore(path)
    elif how == "pickle":
        other = pickle.loads(pickle.dumps(model))
    else:
        other = copy.deepcopy(model)
    # The loss meets the head in a step. It learns of a batch then: let this one have none.
    x, y = batch[0][:16], batch[1][:16]
    nothing = np.zeros(16, np.float32)
    for one in (other, model):
        one.train_on_batch(x, y, sample_weight=nothing)
    assert_same_state(other.loss.sampler, sampler)
    if kind in RESUMABLE:
        got, want = other.train_on_batch(x, y), model.train_on_batch(x, y)
        # A trace for one batch size and one for any differ in the last bit.
        np.testing.assert_allclose(got, want, rtol=1e-6)
        assert_same_state(other.loss.sampler, sampler)


def test_the_state_waits_for_the_sampler(kerases, batch, tmp_path):
    """Loaded and saved again before a step, it is still there."""
    model = compiled(kerases, "mixture")
    model.fit(data(batch), verbose=0)
    model.save(tmp_path / "m.keras")
    between = kerases.keras.models.load_model(tmp_path / "m.keras")
    between.evaluate(*batch, verbose=0)
    between.save(tmp_path / "n.keras")
    last = kerases.keras.models.load_model(tmp_path / "n.keras")
    x, y = batch
    np.testing.assert_array_equal(last.train_on_batch(x, y), model.train_on_batch(x, y))


def test_files_without_a_state_load(kerases, batch, tmp_path):
    """As older versions wrote them: weights and checkpoints of the layer alone."""
    x, y = batch
    plain = functional(kerases)
    plain.compile("sgd", kerases.ours.losses.SampledSoftmax(10))
    plain.fit(x, y, verbose=0)
    plain.save_weights(tmp_path / "m.weights.h5")
    path = tf.train.Checkpoint(model=plain).save(str(tmp_path / "c"))
    for how in ("weights", "checkpoint"):
        model = compiled(kerases, "mixture")
        if how == "weights":
            model.compile("sgd", model.loss)
            model.load_weights(tmp_path / "m.weights.h5")
        else:
            tf.train.Checkpoint(model=model).restore(path).expect_partial()
        for got, want in zip(head_of(model).get_weights(), head_of(plain).get_weights()):
            np.testing.assert_array_equal(got, want)
        assert np.isfinite(np.ravel(model.train_on_batch(x, y))[0])


def test_another_sampler_than_the_saved_one_starts_afresh_and_says_so(kerases, batch, tmp_path):
    model = compiled(kerases, "mixture")
    model.fit(data(batch), verbose=0)
    model.save_weights(tmp_path / "m.weights.h5")
    other = compiled(kerases, "learned")
    other.load_weights(tmp_path / "m.weights.h5")
    with pytest.warns(UserWarning, match="state of another sampler"):
        other.train_on_batch(*batch)


def test_a_layers_weights_are_as_ever(kerases, batch):
    model = compiled(kerases, "mixture")
    before = len(model.get_weights())
    model.fit(data(batch), verbose=0)
    assert len(model.get_weights()) == before == 4
    assert len(head_of(model).weights) == 2
    model.set_weights(model.get_weights())


class Counter(tf.Module):
    """A sampler of one's own, with a variable."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0)

    def __call__(self, labels, num_true, num_sampled, unique, range_max, seed=None):
        self.calls.assign_add(1)
        return tsc.random.uniform_candidate_sampler(
            labels, num_true, num_sampled, unique, range_max, seed=seed
        )


def test_a_module_of_ones_own(kerases, batch, tmp_path):
    models = []
    for _ in range(3):
        model = functional(kerases)
        model.compile("sgd", kerases.ours.losses.SampledSoftmax(9, sampler=Counter()))
        models.append(model)
    first, second, third = models
    first.fit(data(batch), verbose=0)
    first.save_weights(tmp_path / "m.weights.h5")
    second.load_weights(tmp_path / "m.weights.h5")
    path = tf.train.Checkpoint(model=first).save(str(tmp_path / "c"))
    tf.train.Checkpoint(model=third).restore(path)
    for model in (second, third):
        model.train_on_batch(*batch)
        assert int(model.loss.sampler.calls) == N // 16 + 1


def test_given_frequencies_in_a_mixture(kerases, batch, tmp_path):
    """They are in the config, and have no state."""
    given = tsc.random.InBatchSampler(np.arange(1, C + 1))
    sampler = tsc.random.MixtureSampler([(given, N), (learned(), 6)])
    for again in (
        pickle.loads(pickle.dumps(sampler)),
        type(sampler).from_config(sampler.get_config()),
    ):
        assert again.get_config() == sampler.get_config()
    model = functional(kerases)
    loss = kerases.ours.losses.SampledSoftmax(N + 6, sampler=sampler, exclude_true=True)
    model.compile("sgd", loss)
    model.fit(data(batch), verbose=0)
    model.save(tmp_path / "m.keras")
    other = kerases.keras.models.load_model(tmp_path / "m.keras")
    x, y = batch
    got, want = other.train_on_batch(x, y), model.train_on_batch(x, y)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    assert_same_state(other.loss.sampler, sampler)


@pytest.mark.parametrize("how", ["export", "tf.saved_model.save"])
def test_a_model_is_exported_after_training(kerases, how, batch, tmp_path):
    model = compiled(kerases, "mixture with functions")
    if how == "export" and not hasattr(model, "export"):
        pytest.skip("this Keras has no export")
    model.fit(data(batch), verbose=0)
    x, folder = tf.constant(batch[0]), str(tmp_path / "exported")
    if how == "export":
        model.export(folder)
    else:
        serve = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec([None, D])])
        tf.saved_model.save(model, folder, {"serving_default": serve})
    loaded = tf.saved_model.load(folder)
    (got,) = loaded.signatures["serving_default"](x).values()
    np.testing.assert_allclose(got, model.predict(batch[0], verbose=0), rtol=1e-5, atol=1e-6)
