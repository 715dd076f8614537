"""A diagnosis changes nothing: not a weight, a slot, a count, a seed, a metric or a function."""

import random

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.diagnose.conftest import D, inputs, zipf
from tf_sampled_compat.diagnose import run, untouched

C = 500
X, Y = inputs(256), zipf(C, 256)


def model_of(kerases, sampler):
    """A model with everything that has a state: dropout, normalization, slots, metrics, counts."""
    keras, ours = kerases.keras, kerases.ours
    x = keras.Input([D])
    hidden = keras.layers.Dense(16, activation="relu")(x)
    hidden = keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Dropout(0.5, seed=1)(hidden)
    hidden = keras.layers.Dropout(0.5)(hidden)
    hidden = keras.layers.ActivityRegularization(l2=0.01)(hidden)
    model = keras.Model(x, ours.layers.SampledDense(C, kernel_regularizer="l2")(hidden))
    loss = ours.losses.SampledSoftmax(64, sampler=sampler)
    model.compile("adam", loss, metrics=["accuracy", ours.metrics.ExactMRR()])
    return model


def numpy_state():
    """The numbers of the generator, and its place among them."""
    _, numbers, place, *_ = np.random.get_state()
    return numbers.tolist(), place


def state_of(model, sampler):
    """Everything that has a state, by name."""
    optimizer = model.optimizer
    slots = optimizer.variables() if callable(optimizer.variables) else optimizer.variables
    state = {f"weight {n}": np.array(w) for n, w in enumerate(model.variables)}
    state.update({f"slot {n}": np.array(v) for n, v in enumerate(slots)})
    for metric in model.metrics:
        state.update({f"{metric.name} {n}": np.array(v) for n, v in enumerate(metric.variables)})
    state.update({f"sampler {n}": np.array(v) for n, v in enumerate(sampler.variables)})
    for layer in model._flatten_layers():
        generator = getattr(layer, "_random_generator", None)
        if hasattr(generator, "_seed"):
            state[f"{layer.name} seed"] = generator._seed
        if hasattr(layer, "seed_generator"):
            state[f"{layer.name} seed"] = np.array(layer.seed_generator.state)
    state["python"], state["numpy"] = random.getstate(), numpy_state()
    state["functions"] = model.train_function, model.test_function, model.predict_function
    state["losses"] = len(model.losses)
    state["attributes"] = sorted(vars(model))
    return state


@pytest.mark.parametrize("trained", [False, True])
def test_nothing_changes(kerases, trained):
    kerases.keras.utils.set_random_seed(1)
    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    model = model_of(kerases, sampler)
    if trained:
        model.fit(X, Y, batch_size=32, verbose=0)
    before = state_of(model, sampler)
    report = kerases.ours.diagnose(model, X, Y, verbose=0, seconds=60)
    assert not [f for f in report.findings if f.severity == "unknown"], str(report)
    after = state_of(model, sampler)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_equal(after[name], value, err_msg=name)


@pytest.mark.parametrize("sampler", ["log_uniform", "learned_unigram", "own"])
def test_training_goes_on_as_without(kerases, sampler):
    """Dropout, candidates and the order of the examples are those of an undisturbed run."""
    weights = []
    for examined in (False, True):
        kerases.keras.utils.set_random_seed(1)
        own = tsc.random.LearnedUnigramSampler(C, seed=1) if sampler == "own" else sampler
        model = model_of(kerases, own)
        model.fit(X, Y, batch_size=32, verbose=0)
        if examined:
            kerases.ours.diagnose(model, X, Y, verbose=0, seconds=60)
        model.fit(X, Y, batch_size=32, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights):
        np.testing.assert_array_equal(one, other)


def test_random_numbers_of_every_kind_go_on_as_without(kerases):
    """Those of Python, NumPy, TensorFlow's global seed and generator, and Keras."""
    drawn = []
    for examined in (False, True):
        kerases.keras.utils.set_random_seed(1)
        tf.random.set_global_generator(tf.random.Generator.from_seed(3))
        model = model_of(kerases, tsc.random.LearnedUnigramSampler(C, seed=1))
        if examined:
            kerases.ours.diagnose(model, X, Y, verbose=0, seconds=60)
        layer = kerases.keras.layers.Dropout(0.5)
        drawn.append(
            [
                random.random(),  # noqa: S311
                np.random.rand(),
                tf.random.uniform([]).numpy(),
                tf.random.get_global_generator().uniform([]).numpy(),
                np.array(layer(tf.ones([100]), training=True)),
                np.array(kerases.keras.layers.Dense(3)(tf.ones([1, 2]))),
            ]
        )
    for one, other in zip(*drawn):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("trained", [False, True])
def test_a_schedule_has_made_no_step(kerases, trained):
    """The optimizer's, and that of TAPAS's temperature, whose steps the head counts."""
    keras, ours = kerases.keras, kerases.ours
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    x, head = keras.Input([D]), ours.layers.SampledDense(C)
    model = keras.Model(x, head(x))
    loss = ours.losses.RankSampledSoftmax(64, 16, resampling_temperature=schedule)
    model.compile(ours.optimizers.LazyAdam(schedule), loss)
    if trained:
        model.fit(X, Y, batch_size=64, verbose=0)
    report = ours.diagnose(model, X, Y, verbose=0, seconds=60)
    assert report["num_sampled"].figures, "a step was drawn"
    assert int(model.optimizer.iterations) == head.schedule_steps.count() == 4 * trained


@pytest.mark.parametrize("place", [0, 1, 2])
def test_callbacks_are_called_in_their_order(kerases, place):
    keras, calls = kerases.keras, []

    def noting(name):
        def begin(epoch, logs=None):
            calls.append(name)

        return keras.callbacks.LambdaCallback(on_epoch_begin=begin)

    callbacks = [noting("first"), noting("second")]
    diagnose = kerases.ours.callbacks.Diagnose(X, Y, seconds=1e-9, verbose=0)
    callbacks.insert(place, diagnose)
    given = list(callbacks)
    model = model_of(kerases, tsc.random.LearnedUnigramSampler(C, seed=1))
    model.fit(X, Y, epochs=2, verbose=0, callbacks=callbacks)
    assert calls == ["first", "second"] * 2 and callbacks == given and diagnose.report


def test_the_model_is_restored_after_an_error(kerases, monkeypatch):
    """Not only errors that a finding reports: also an interruption by the user."""

    def interrupted(seen):
        model.layers[2].moving_mean.assign(np.ones(16))
        raise KeyboardInterrupt

    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    model = model_of(kerases, sampler)
    monkeypatch.setattr(run, "EXAMINATIONS", (("labels", interrupted),))
    before = state_of(model, sampler)
    with pytest.raises(KeyboardInterrupt):
        kerases.ours.diagnose(model, X, Y, verbose=0)
    np.testing.assert_equal(state_of(model, sampler), before)


def test_an_examination_that_fails_is_a_finding(kerases, monkeypatch):
    def failing(seen):
        raise ZeroDivisionError("of nothing")

    model = model_of(kerases, tsc.random.LearnedUnigramSampler(C, seed=1))
    monkeypatch.setattr(run, "EXAMINATIONS", (("labels", failing),))
    report = kerases.ours.diagnose(model, X, Y, verbose=0)
    assert report["labels"].severity == "unknown" and "of nothing" in report["labels"].seen


def test_an_error_of_a_graph_says_what_happened(kerases):
    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    report = kerases.ours.diagnose(model_of(kerases, sampler), X, Y + C, verbose=0)
    assert report["labels"].severity == "error"
    assert "expected class ids in [0, 500)" in report["NaN"].seen and "Detected" not in str(report)


def test_random_numbers_that_a_model_draws_while_it_is_traced_are_restored():
    state = random.getstate(), numpy_state()
    with untouched.Untouched([]) as context:
        context.trace(lambda: tf.constant(random.random() + np.random.rand()))  # noqa: S311
    assert (random.getstate(), numpy_state()) == state


def test_what_a_function_touches_is_restored():
    variable = tf.Variable(1.0)
    with untouched.Untouched([]) as context:
        context.trace(lambda: variable.assign_add(1.0))()
        assert variable.numpy() == 2
    assert variable.numpy() == 1
