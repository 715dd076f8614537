"""A run that is stopped and resumed equals one that is not, to the bit."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import C, D, functional, head_of
from tests.keras.stateful_samplers import (
    RESUMABLE,
    N,
    assert_same_state,
    compiled,
    data,
    learned,
    mixture,
    state_of,
)


class Stopped(Exception):
    """The machine goes down."""


@pytest.mark.parametrize("kind", RESUMABLE)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_backup_and_restore(kerases, kind, jit_compile, batch, tmp_path):
    """Stopped in the third of five epochs, and made anew."""
    keras = kerases.keras
    whole = compiled(kerases, kind, jit_compile=jit_compile)
    want = whole.fit(data(batch), epochs=5, verbose=0).history["loss"]

    def stop(epoch, logs=None):
        if epoch == 2:
            raise Stopped

    def backup():
        return keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))

    first = compiled(kerases, kind, jit_compile=jit_compile)
    stopping = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
    with pytest.raises(Stopped):
        first.fit(data(batch), epochs=5, verbose=0, callbacks=[backup(), stopping])
    second = compiled(kerases, kind, jit_compile=jit_compile)
    got = second.fit(data(batch), epochs=5, verbose=0, callbacks=[backup()]).history["loss"]
    assert got == want[-len(got) :] and len(got) in (3, 4)
    assert_same_state(second.loss.sampler, whole.loss.sampler)


def with_a_schedule(kerases):
    """A learned sampler by its name, a schedule of the temperature, and a lazy optimizer."""
    kerases.keras.utils.set_random_seed(3)
    model = functional(kerases)
    cool = kerases.keras.optimizers.schedules.ExponentialDecay(1.0, 4, 0.5)
    loss = kerases.ours.losses.RankSampledSoftmax(20, 9, seed=2, resampling_temperature=cool)
    rate = kerases.keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.9)
    model.compile(kerases.ours.optimizers.LazyAdam(rate), loss)
    return model


def test_a_schedule_a_named_sampler_and_a_lazy_optimizer_go_on(kerases, batch, tmp_path):
    """Stopped between the second and the third of four epochs, in each epoch's backup."""
    keras = kerases.keras
    whole = with_a_schedule(kerases)
    want = whole.fit(data(batch), epochs=4, verbose=0).history["loss"]

    def stop(epoch, logs=None):
        if epoch == 2:
            raise Stopped

    callbacks = [
        keras.callbacks.BackupAndRestore(str(tmp_path / "backup")),
        keras.callbacks.LambdaCallback(on_epoch_begin=stop),
    ]
    with pytest.raises(Stopped):
        with_a_schedule(kerases).fit(data(batch), epochs=4, verbose=0, callbacks=callbacks)
    second = with_a_schedule(kerases)
    got = second.fit(data(batch), epochs=4, verbose=0, callbacks=callbacks[:1]).history["loss"]
    assert got == want[-len(got) :] and len(got) in (2, 3)
    assert head_of(second).schedule_steps.count() == 16
    assert_same_state(second.loss._learner(C), whole.loss._learner(C))
    for one, other in zip(second.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", RESUMABLE)
@pytest.mark.parametrize("when", ["before the first step", "after some steps"])
def test_checkpoints_of_a_model(kerases, kind, when, batch, tmp_path):
    whole = compiled(kerases, kind)
    first = whole.fit(data(batch), epochs=2, verbose=0)
    assert np.isfinite(first.history["loss"]).all()
    path = tf.train.Checkpoint(model=whole, optimizer=whole.optimizer).save(str(tmp_path / "c"))
    want = whole.fit(data(batch), epochs=3, verbose=0).history["loss"]
    second = compiled(kerases, kind)
    if when == "after some steps":
        second.fit(data(batch), epochs=1, verbose=0)
    tf.train.Checkpoint(model=second, optimizer=second.optimizer).restore(path)
    assert second.fit(data(batch), epochs=3, verbose=0).history["loss"] == want


def test_model_checkpoint(kerases, batch, tmp_path):
    keras = kerases.keras
    for name, options in (("m.keras", {}), ("m.weights.h5", {"save_weights_only": True})):
        model = compiled(kerases, "mixture")
        saving = keras.callbacks.ModelCheckpoint(str(tmp_path / name), **options)
        model.fit(data(batch), verbose=0, callbacks=[saving])
        if options:
            other = compiled(kerases, "mixture")
            other.load_weights(tmp_path / name)
        else:
            other = keras.models.load_model(tmp_path / name)
        x, y = batch
        np.testing.assert_array_equal(other.train_on_batch(x, y), model.train_on_batch(x, y))


@pytest.mark.parametrize("how", [".keras", ".weights.h5", "checkpoint"])
def test_several_heads_and_losses(kerases, how, batch, tmp_path):
    """Each head has its own sampler, in a list or a dictionary of losses."""
    keras, ours = kerases.keras, kerases.ours

    def model_of():
        inputs = keras.Input([D])
        heads = [ours.layers.SampledDense(C, name=name) for name in ("one", "two")]
        outputs = {head.name: head(inputs) for head in heads}
        model = keras.Model(inputs, outputs)
        losses = {
            "one": ours.losses.SampledSoftmax(N + 10, sampler=mixture(), exclude_true=True),
            "two": ours.losses.NCE(8, sampler=learned()),
        }
        model.compile("sgd", losses)
        return model, losses

    x, y = batch
    model, losses = model_of()
    model.fit(x, {"one": y, "two": y // 2}, batch_size=16, verbose=0)
    other, others = model_of()
    if how == "checkpoint":
        path = tf.train.Checkpoint(model=model).save(str(tmp_path / "c"))
        tf.train.Checkpoint(model=other).restore(path)
    elif how == ".keras":
        model.save(tmp_path / "m.keras")
        other = keras.models.load_model(tmp_path / "m.keras")
        others = other.loss
    else:
        model.save_weights(tmp_path / "m.weights.h5")
        other.load_weights(tmp_path / "m.weights.h5")
    zero = np.zeros(16, np.float32)
    other.train_on_batch(
        x[:16],
        {"one": y[:16], "two": y[:16]},
        sample_weight={"one": zero, "two": zero},
    )
    for name in losses:
        # The weights were zero. But the samplers have drawn, so their steps went on.
        want, got = state_of(losses[name].sampler), state_of(others[name].sampler)
        for key, value in want.items():
            np.testing.assert_array_equal(got[key], value + key.endswith(("step", "now")))
