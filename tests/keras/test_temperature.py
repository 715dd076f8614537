"""TAPAS's temperature as a number and as a schedule, which the training steps drive."""

import numpy as np
import pytest
import tensorflow as tf

from tests.alone import alone
from tests.keras.conftest import C, D, _kerases, functional, head_of

X = np.random.RandomState(0).randn(64, D).astype("f")
Y = np.random.RandomState(1).randint(0, C, 64)


def recording(keras, seen):
    """A schedule of 0.5 that counts in `seen` how often it was asked for each step."""

    class Recording(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            tf.raw_ops.ResourceScatterAdd(
                resource=seen.handle, indices=step, updates=tf.constant(1, tf.int64)
            )
            return 0.5

        def get_config(self):
            return {}

    return Recording()


def compiled(kerases, schedule, **options):
    model = functional(kerases)
    loss = kerases.ours.losses.RankSampledSoftmax(
        20, 9, sampler="uniform", seed=1, resampling_temperature=schedule
    )
    model.compile("sgd", loss, **options)
    return model


@pytest.mark.parametrize("value", [0, 0.0, -1, float("nan"), np.float32(0)])
def test_a_bad_number_is_an_error_at_once(kerases, value):
    make = kerases.ours.losses.RankSampledSoftmax
    with pytest.raises(ValueError, match="resampling_temperature: expected a positive"):
        make(20, 9, resampling_temperature=value)
    loss = make(20, 9, resampling_temperature=0.5)
    with pytest.raises(ValueError, match="resampling_temperature: expected a positive"):
        loss.resampling_temperature = value
    assert float(loss.resampling_temperature) == 0.5


@pytest.mark.parametrize("steps_per_execution", [1, 3])
def test_each_training_step_asks_for_the_next_step_once(kerases, steps_per_execution):
    seen = tf.Variable(tf.zeros([10], tf.int64))
    model = compiled(
        kerases, recording(kerases.keras, seen), steps_per_execution=steps_per_execution
    )
    model.fit(X, Y, batch_size=16, epochs=2, validation_data=(X, Y), verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert list(seen.numpy()) == [1] * 8 + [0] * 2
    assert head_of(model).schedule_steps.count() == 8


def test_the_loss_has_the_temperature_of_the_step(kerases):
    """The schedule ends at zero, which is an error in the step that gets there, and in no other."""
    keras = kerases.keras
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.25, 0.0])
    model = compiled(kerases, schedule)
    loss = model.loss
    model.fit(X, Y, batch_size=16, verbose=0)
    assert float(loss.resampling_temperature) == 0.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="resampling_temperature"):
        model.fit(X, Y, batch_size=16, verbose=0)


def test_a_schedule_is_not_overwritten(kerases):
    schedule = kerases.keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    loss = kerases.ours.losses.RankSampledSoftmax(20, 9, resampling_temperature=schedule)
    with pytest.raises(ValueError, match="schedule of a loss is given when the loss is made"):
        loss.resampling_temperature = 0.5
    number = kerases.ours.losses.RankSampledSoftmax(20, 9)
    with pytest.raises(ValueError, match="schedule of a loss is given when the loss is made"):
        number.resampling_temperature = schedule


def test_the_config_holds_the_schedule(kerases):
    schedule = kerases.keras.optimizers.schedules.ExponentialDecay(0.5, 4, 0.5)
    loss = kerases.ours.losses.RankSampledSoftmax(20, 9, resampling_temperature=schedule)
    again = type(loss).from_config(loss.get_config())
    assert again.get_config() == loss.get_config()
    assert float(again._temperature.schedule(4)) == 0.25


@pytest.mark.parametrize("how", [".keras", ".weights.h5", "checkpoint"])
def test_a_stopped_and_resumed_run_goes_on_with_the_schedule(kerases, how, tmp_path):
    keras = kerases.keras
    schedule = keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    model = compiled(kerases, schedule)
    model.fit(X, Y, batch_size=16, verbose=0)
    path = str(tmp_path / f"model{how}")
    if how == ".keras":
        model.save(path)
        other = keras.models.load_model(path)
    else:
        other = compiled(kerases, schedule)
        if how == "checkpoint":
            path = tf.train.Checkpoint(model=model).save(path)
            tf.train.Checkpoint(model=other).restore(path).expect_partial()
        elif kerases.is_3:
            model.save_weights(path)
            other.load_weights(path)
        else:
            pytest.skip("tf_keras's h5 files hold nothing but weights")
    other.fit(X, Y, batch_size=32, verbose=0)
    assert head_of(other).schedule_steps.count() == 4 + 2
    assert float(other.loss.resampling_temperature) == 0.5**6


def test_the_temperature_is_known_before_the_first_step(kerases, tmp_path):
    """Of a model that was loaded, by the file; and once a loss has met its head, by the head."""
    schedule = kerases.keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    model = compiled(kerases, schedule)
    model.fit(X, Y, batch_size=16, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = kerases.keras.models.load_model(tmp_path / "m.keras")
    assert float(loaded.loss.resampling_temperature) == 0.5**4
    loaded.save(tmp_path / "n.keras")
    again = kerases.keras.models.load_model(tmp_path / "n.keras")
    assert float(again.loss.resampling_temperature) == 0.5**4
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "c"))
    other = compiled(kerases, schedule)
    tf.train.Checkpoint(model=other).restore(path).expect_partial()
    other.evaluate(X, Y, verbose=0)
    assert float(other.loss.resampling_temperature) == 0.5**4


@pytest.mark.parametrize("how", [".keras", "checkpoint"])
def test_a_saved_schedule_is_exact_under_steps_per_execution(kerases, how, tmp_path):
    """Ten steps in executions of three: two that are cut short, and a file between them."""
    schedule = kerases.keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    model = compiled(kerases, schedule, steps_per_execution=3)
    data = tf.data.Dataset.from_tensor_slices((X[:20], Y[:20])).batch(4)
    model.fit(data, verbose=0)
    if how == ".keras":
        model.save(tmp_path / "m.keras")
        other = kerases.keras.models.load_model(tmp_path / "m.keras")
        other.compile("sgd", other.loss, steps_per_execution=3)
    else:
        path = tf.train.Checkpoint(model=model).save(str(tmp_path / "c"))
        other = compiled(kerases, schedule, steps_per_execution=3)
        tf.train.Checkpoint(model=other).restore(path).expect_partial()
    other.fit(data, verbose=0)
    assert head_of(other).schedule_steps.count() == 10
    assert float(other.loss.resampling_temperature) == 0.5**10


def test_a_number_adds_nothing_to_a_checkpoint(kerases, tmp_path):
    model = compiled(kerases, 0.5)
    model.fit(X, Y, batch_size=16, verbose=0)
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "checkpoint"))
    assert not [name for name, _ in tf.train.list_variables(path) if "schedule" in name]


def test_replicas_share_a_step(kerases):
    alone(__name__, f"replicas_share_a_step({kerases.name!r})")


def replicas_share_a_step(name):
    kerases = _kerases(name)
    schedule = kerases.keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = compiled(kerases, schedule)
    model.fit(X, Y, batch_size=16, verbose=0)
    assert head_of(model).schedule_steps.count() == 4
