"""Two towers are saved, loaded and copied with what they have learned."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.towers import (
    KINDS,
    LEARNED,
    I,
    U,
    batches,
    compiled,
    expected,
    frequencies,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_save_and_load(kerases, kind, tmp_path):
    made = compiled(kerases, optimizer="adam", **KINDS[kind][0]())
    made.model.fit([U, I], I, batch_size=16, verbose=0)
    made.model.save(tmp_path / "m.keras")
    again = kerases.keras.models.load_model(tmp_path / "m.keras")
    layer, other = made.model.get_layer("pairs"), again.get_layer("pairs")
    assert layer.get_config() == other.get_config()
    assert again.loss.get_config() == made.model.loss.get_config()
    if kind == "learned":
        np.testing.assert_array_equal(other.frequencies.counts(), layer.frequencies.counts())
        assert (other.frequencies.counts() != LEARNED).numpy().any()
    losses = [m.evaluate([U, I], I, batch_size=16, verbose=0) for m in (made.model, again)]
    assert losses[0] == losses[1]
    continued = [
        m.fit([U, I], I, batch_size=16, shuffle=False, epochs=2, verbose=0).history["loss"]
        for m in (made.model, again)
    ]
    np.testing.assert_allclose(*continued, rtol=1e-6)
    checkpoint = tf.train.Checkpoint(made.model).save(str(tmp_path / "checkpoint"))
    third = compiled(kerases, optimizer="adam", **KINDS[kind][0]())
    third.model([U, I])
    tf.train.Checkpoint(third.model).restore(checkpoint).expect_partial()
    losses = [m.evaluate([U, I], I, batch_size=16, verbose=0) for m in (made.model, third.model)]
    assert losses[0] == losses[1]


def test_a_variable_as_temperature(kerases, tmp_path):
    temperature = tf.Variable(1.0)
    made = compiled(kerases, temperature=temperature)
    losses = []
    for value in (1.0, 0.25):
        temperature.assign(value)
        got = made.model.evaluate([U, I], I, batch_size=16, verbose=0)
        rows = [expected(made, rows, temperature=value) for rows in batches()]
        np.testing.assert_allclose(got, np.concatenate(rows).mean(), rtol=1e-5)
        losses.append(got)
    assert losses[0] != losses[1]
    made.model.save(tmp_path / "m.keras")
    again = kerases.keras.models.load_model(tmp_path / "m.keras")
    assert again.get_layer("pairs").temperature == 0.25
    assert again.evaluate([U, I], I, batch_size=16, verbose=0) == losses[1]


def test_weights_files_and_copies(kerases, tmp_path):
    made = compiled(kerases, frequencies=frequencies())
    made.model.fit([U, I], I, batch_size=16, verbose=0)
    made.model.save_weights(tmp_path / "m.weights.h5")
    other = compiled(kerases, frequencies=frequencies())
    other.model.load_weights(tmp_path / "m.weights.h5")
    counts = [m.model.get_layer("pairs").frequencies.counts() for m in (made, other)]
    np.testing.assert_array_equal(*counts)
    copy = kerases.keras.models.clone_model(made.model)
    np.testing.assert_array_equal(copy.get_layer("pairs").frequencies.counts(), LEARNED)


@pytest.mark.parametrize("steps_per_execution", [1, 3])
def test_a_schedule_as_temperature(kerases, steps_per_execution, tmp_path):
    """Each step has its own temperature, and a file or a checkpoint has the count of steps."""
    keras = kerases.keras
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2], [0.5, 0.25])
    loss = kerases.ours.losses.InBatchSoftmax()
    made = compiled(kerases, temperature=schedule)
    # The weights stay, so that the losses tell the temperatures.
    made.model.compile(keras.optimizers.SGD(0.0), loss, steps_per_execution=steps_per_execution)
    layer = made.model.get_layer("pairs")
    got = made.model.fit([U, I], I, batch_size=16, shuffle=False, verbose=0).history["loss"][0]
    rows = [
        expected(made, rows, temperature=0.5 if step <= 2 else 0.25)
        for step, rows in enumerate(batches())
    ]
    assert got == pytest.approx(np.concatenate(rows).mean(), rel=1e-5)
    assert layer.schedule_steps.count() == 5 and float(layer.temperature) == 0.25
    want = np.concatenate([expected(made, rows, temperature=0.25) for rows in batches()]).mean()
    assert made.model.evaluate([U, I], I, batch_size=16, verbose=0) == pytest.approx(want, rel=1e-5)
    assert layer.schedule_steps.count() == 5
    made.model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    path = tf.train.Checkpoint(made.model).save(str(tmp_path / "checkpoint"))
    third = compiled(kerases, temperature=schedule).model
    tf.train.Checkpoint(third).restore(path).expect_partial()
    for model in (again, third):
        assert float(model.get_layer("pairs").temperature) == 0.25
        loss = model.evaluate([U, I], I, batch_size=16, verbose=0)
        assert loss == pytest.approx(want, rel=1e-5)
