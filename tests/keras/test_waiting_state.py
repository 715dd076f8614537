"""The state of samplers and schedules passes through files before there is a training step."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras import stateful_samplers
from tests.keras.conftest import C, D, functional, head_of
from tests.keras.stateful_samplers import learned

FORMATS = [".keras", ".weights.h5", "checkpoint"]


def compiled(kerases, **options):
    model = functional(kerases)
    cool = kerases.keras.optimizers.schedules.ExponentialDecay(1.0, 4, 0.5)
    loss = kerases.ours.losses.RankSampledSoftmax(
        20, 9, sampler=learned(), resampling_temperature=cool
    )
    model.compile("sgd", loss, **options)
    return model


def written(model, how, path):
    if how == ".keras":
        model.save(path + ".keras")
    elif how == ".weights.h5":
        model.save_weights(path + ".weights.h5")
    else:
        return tf.train.Checkpoint(model=model).write(path)
    return path + how


def read(kerases, how, path, model):
    if how == ".keras":
        return kerases.keras.models.load_model(path)
    if how == ".weights.h5":
        model.load_weights(path)
    else:
        tf.train.Checkpoint(model=model).read(path).expect_partial()
    return model


@pytest.mark.parametrize("first", FORMATS)
def test_a_state_goes_from_each_format_to_each(kerases, first, batch, tmp_path):
    x, y = batch
    model = compiled(kerases)
    model.fit(x, y, batch_size=16, verbose=0)
    path = written(model, first, str(tmp_path / "first"))
    # A model that was not compiled knows no sampler.
    between = read(kerases, first, path, functional(kerases))
    assert head_of(between).schedule_steps.count() == 4
    paths = {how: written(between, how, str(tmp_path / f"next{how}")) for how in FORMATS}
    want = model.train_on_batch(x, y)
    counts = model.loss.sampler.counts()
    for how, path in paths.items():
        last = read(kerases, how, path, compiled(kerases))
        if how == ".keras" and first != ".keras":
            last.compile("sgd", compiled(kerases).loss)  # `between` was not.
        np.testing.assert_allclose(last.train_on_batch(x, y), want, rtol=1e-6, err_msg=how)
        assert head_of(last).schedule_steps.count() == 5, how
        np.testing.assert_array_equal(last.loss.sampler.counts(), counts, err_msg=how)


def test_a_waiting_state_is_restored_into_a_model_that_has_trained(kerases, batch, tmp_path):
    """A checkpoint of a state whose sampler had not come yet."""
    x, y = batch
    model = compiled(kerases)
    model.fit(x, y, batch_size=16, verbose=0)
    file = written(model, ".weights.h5", str(tmp_path / "m"))
    between = read(kerases, ".weights.h5", file, functional(kerases))
    path = written(between, "checkpoint", str(tmp_path / "c"))
    other = compiled(kerases)
    other.fit(x, y, epochs=2, verbose=0)
    read(kerases, "checkpoint", path, other)
    assert head_of(other).schedule_steps.count() == 4
    np.testing.assert_array_equal(other.loss.sampler.counts(), model.loss.sampler.counts())


@pytest.mark.parametrize("last", ["checkpoint", ".weights.h5"])
def test_the_last_of_two_states_counts(kerases, last, batch, tmp_path):
    x, y = batch
    model = compiled(kerases)
    model.fit(x, y, batch_size=16, verbose=0)
    paths = {"checkpoint": None, ".weights.h5": None}
    order = [how for how in paths if how != last] + [last]
    for how in order:
        paths[how] = written(model, how, str(tmp_path / "m"))
        model.fit(x, y, batch_size=16, verbose=0)
    other = compiled(kerases)
    for how in order:
        read(kerases, how, paths[how], other)
    assert head_of(other).schedule_steps.count() == 8
    other.train_on_batch(x, y)
    assert int(tf.reduce_sum(other.loss.sampler.counts())) == C + 3 * len(y)


def test_a_checkpoint_is_newer_than_the_file_of_another_sampler(kerases, batch, tmp_path):
    """Nothing of the file is left to warn of."""
    x, y = batch
    model = compiled(kerases)
    model.fit(x, y, batch_size=16, verbose=0)
    file = written(model, ".weights.h5", str(tmp_path / "m"))
    mixed = stateful_samplers.compiled(kerases, "mixture")
    mixed.fit(x, y, batch_size=64, verbose=0)
    path = written(mixed, "checkpoint", str(tmp_path / "c"))
    other = stateful_samplers.compiled(kerases, "mixture")
    read(kerases, ".weights.h5", file, other)
    read(kerases, "checkpoint", path, other)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other.train_on_batch(x, y)
    mixed.train_on_batch(x, y)
    stateful_samplers.assert_same_state(other.loss.sampler, mixed.loss.sampler)


def test_the_name_learned_unigram_makes_a_sampler_that_is_saved(kerases, batch, tmp_path):
    """It is the default of TAPAS."""
    x, y = batch

    def model_of():
        model = functional(kerases)
        model.compile("sgd", kerases.ours.losses.RankSampledSoftmax(20, 9, seed=5))
        return model

    model, other = model_of(), model_of()
    model.fit(x, y, batch_size=16, verbose=0)
    assert model.loss.sampler == "learned_unigram"
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    model.save(tmp_path / "m.keras")
    loaded = kerases.keras.models.load_model(tmp_path / "m.keras")
    want = model.train_on_batch(x, y)
    np.testing.assert_allclose(other.train_on_batch(x, y), want, rtol=1e-6)
    np.testing.assert_allclose(loaded.train_on_batch(x, y), want, rtol=1e-6)
    for one in (model, other, loaded):
        np.testing.assert_array_equal(
            one.loss._learner(C).counts(), 1 + 2 * np.bincount(y, minlength=C)
        )


def two_heads(kerases, samplers):
    keras, ours = kerases.keras, kerases.ours
    inputs = keras.Input([D])
    outputs = {name: ours.layers.SampledDense(C, name=name)(inputs) for name in ("one", "two")}
    model = keras.Model(inputs, outputs)
    losses = {
        name: ours.losses.SampledSoftmax(8, sampler=sampler)
        for name, sampler in zip(("one", "two"), samplers)
    }
    model.compile("sgd", losses, run_eagerly=True)
    return model


@pytest.mark.parametrize("kind", ["learned", "in_batch", "mixture"])
def test_a_shared_sampler_is_one_after_loading(kerases, kind, batch, tmp_path):
    x, y = batch[0][:8], batch[1][:8]

    def make():
        if kind == "learned":
            return learned()
        if kind == "in_batch":
            return tsc.random.InBatchSampler(learned())
        return tsc.random.MixtureSampler([(learned(), 8)])

    shared = make()
    model = two_heads(kerases, [shared, shared])
    model.train_on_batch(x, {"one": y, "two": y})
    model.save(tmp_path / "m.keras")
    other = kerases.keras.models.load_model(tmp_path / "m.keras")
    assert other.loss["one"].sampler is other.loss["two"].sampler
    # Eagerly: the second head must not undo what the first step of the first one learned.
    other.compile("sgd", other.loss, run_eagerly=True)
    other.train_on_batch(x, {"one": y, "two": y})
    sampler = other.loss["one"].sampler
    sampler = sampler.samplers[0] if kind == "mixture" else sampler
    counts = getattr(sampler, "frequencies", sampler).counts()
    np.testing.assert_array_equal(counts, 1 + 4 * np.bincount(y, minlength=C))
    apart = two_heads(kerases, [make(), make()])
    apart.save(tmp_path / "n.keras")
    other = kerases.keras.models.load_model(tmp_path / "n.keras")
    assert other.loss["one"].sampler is not other.loss["two"].sampler


def test_two_models_of_one_file_share_nothing(kerases, tmp_path):
    model = compiled(kerases)
    model.save(tmp_path / "m.keras")
    one, two = (kerases.keras.models.load_model(tmp_path / "m.keras") for _ in range(2))
    assert one.loss.sampler is not two.loss.sampler


class Counter(tf.Module):
    """A sampler of one's own, with a variable, that has no probabilities to learn."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0)

    def __call__(self, labels, num_true, num_sampled, unique, range_max, seed=None):
        self.calls.assign_add(1)
        return tsc.random.uniform_candidate_sampler(
            labels, num_true, num_sampled, unique, range_max, seed=seed
        )


def test_a_module_of_ones_own_in_a_mixture(kerases, batch, tmp_path):
    def model_of():
        sampler = tsc.random.MixtureSampler([(Counter(), 5), (learned(), 5)])
        model = functional(kerases)
        model.compile("sgd", kerases.ours.losses.SampledSoftmax(10, sampler=sampler))
        return model

    model = model_of()
    model.fit(*batch, batch_size=16, verbose=0)
    for how in (".weights.h5", "checkpoint"):
        path = written(model, how, str(tmp_path / "m"))
        other = read(kerases, how, path, model_of())
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            other.train_on_batch(*batch)
        calls = int(model.loss.sampler.samplers[0].calls) // 4  # In each of four steps.
        assert int(other.loss.sampler.samplers[0].calls) == 5 * calls
