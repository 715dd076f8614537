"""What the callbacks of `fit` monitor, and the callback that examines them."""

import numpy as np
import pytest

from tests.diagnose.conftest import inputs, model_of, scalars, zipf
from tests.keras.conftest import MODELS

C = 500
X, Y = inputs(64), zipf(C, 64)


def compiled(kerases):
    return model_of(kerases, C, metrics=[kerases.ours.metrics.ExactMRR()])


def report_of(kerases, *callbacks):
    return kerases.ours.diagnose(
        compiled(kerases), X, Y, callbacks=callbacks, verbose=0, seconds=1e-9
    )


@pytest.mark.parametrize("name", ["EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau"])
def test_a_monitor_that_fit_never_updates(kerases, name):
    more = {"filepath": "x.keras"} if name == "ModelCheckpoint" else {"patience": 3}
    make = getattr(kerases.keras.callbacks, name)
    finding = report_of(kerases, make(monitor="exact_mrr", mode="max", **more))["callbacks"]
    assert finding.severity == "error"
    assert name in finding.seen and "'exact_mrr'" in finding.seen
    assert "monitor='val_exact_mrr'" in finding.way_out


def test_a_monitor_of_validation(kerases):
    callback = kerases.keras.callbacks.EarlyStopping("val_exact_mrr", mode="max")
    assert report_of(kerases, callback)["callbacks"].severity == "ok"


def test_a_metric_that_fit_updates(kerases):
    class InTraining(kerases.ours.metrics.ExactMRR):
        evaluation_only = False

    stop = kerases.keras.callbacks.EarlyStopping("exact_mrr", mode="max")
    model = model_of(kerases, C, metrics=[InTraining(name="exact_mrr")])
    report = kerases.ours.diagnose(model, X, Y, callbacks=[stop], verbose=0, seconds=1e-9)
    assert report["callbacks"].severity == "ok"


def test_no_callbacks(kerases):
    names = [finding.name for finding in report_of(kerases).findings]
    assert "callbacks" not in names


def test_the_callback_sees_the_others(kerases, capsys):
    model = compiled(kerases)
    diagnose = kerases.ours.callbacks.Diagnose(X, Y, seconds=1e-9)
    stop = kerases.keras.callbacks.EarlyStopping("exact_mrr", mode="max")
    model.fit(X, Y, callbacks=[stop, diagnose], verbose=0)
    assert diagnose.report["callbacks"].severity == "error"
    assert "EarlyStopping monitors 'exact_mrr'" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.parametrize("place", ["before", "after", "in a list of Keras's"])
def test_it_is_said_before_training(kerases, place):
    """Not when EarlyStopping has stopped already."""
    keras, model, said = kerases.keras, compiled(kerases), []
    diagnose = kerases.ours.callbacks.Diagnose(X, Y, seconds=1e-9, verbose=0)
    stop = keras.callbacks.EarlyStopping("exact_mrr", mode="max", patience=1)

    def begin(epoch, logs=None):
        said.append(diagnose.report["callbacks"].severity)

    callbacks = [stop, keras.callbacks.LambdaCallback(on_epoch_begin=begin)]
    callbacks.insert(0 if place == "before" else 2, diagnose)
    if place == "in a list of Keras's":
        callbacks = keras.callbacks.CallbackList(
            callbacks, add_history=True, model=model, epochs=5, verbose=0, steps=2
        )
    model.fit(X, Y, callbacks=callbacks, verbose=0, epochs=5)
    assert said[0] == "error" and len(said) < 5, "NaN has stopped the training"
    assert "stops after 1 epochs without a reason" in diagnose.report["callbacks"].cost


def test_a_metric_of_another_output_is_none_of_these(kerases):
    """`fit` updates Keras's metrics, and the names of outputs are parts of names."""
    keras, ours = kerases.keras, kerases.ours
    x = keras.Input([8])
    outputs = [ours.layers.SampledDense(C, name=name)(x) for name in ("one", "two")]
    model = keras.Model(x, outputs)
    metrics = [[ours.metrics.ExactMRR()], ["accuracy"]]
    model.compile("sgd", [ours.losses.SampledSoftmax(64)] * 2, metrics=metrics)

    def severity(monitor):
        stop = keras.callbacks.EarlyStopping(monitor, mode="max")
        report = ours.diagnose(model, X, [Y, Y], callbacks=[stop], verbose=0, seconds=1e-9)
        return report["callbacks"].severity

    assert severity("one_exact_mrr") == "error"
    assert severity("two_accuracy") == severity("val_one_exact_mrr") == severity("loss") == "ok"


def test_the_callback_writes_a_summary(kerases, tmp_path):
    diagnose = kerases.ours.callbacks.Diagnose(X, Y, seconds=1e-9, verbose=0, log_dir=tmp_path)
    compiled(kerases).fit(X, Y, callbacks=[diagnose], verbose=0)
    written = scalars(tmp_path)
    assert written["diagnose/labels/level"] == 0
    assert {f"diagnose/{f.name}/level" for f in diagnose.report.findings} <= set(written)


def test_the_callback_examines_once_at_the_start(kerases, monkeypatch):
    from tf_sampled_compat.diagnose import run

    calls, real = [], run.diagnose
    monkeypatch.setattr(run, "diagnose", lambda *a, **o: calls.append(1) or real(*a, **o))
    model = compiled(kerases)
    diagnose = kerases.ours.callbacks.Diagnose(X, Y, seconds=1e-9, verbose=0)
    model.fit(X, Y, batch_size=16, epochs=3, callbacks=[diagnose], verbose=0)
    assert calls == [1]


@pytest.mark.parametrize("kind", ["sequential", "subclassed"])
def test_a_model_without_weights(kerases, kind):
    """Keras 3 builds it before `fit` calls the callback; tf_keras in the first step."""
    model = MODELS[kind](kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(20))
    diagnose = kerases.ours.callbacks.Diagnose(X, Y % 50, seconds=60, verbose=0)
    model.fit(X, Y % 50, callbacks=[diagnose], verbose=0)
    assert diagnose.report["NaN"].severity == "ok"


def test_the_training_is_the_same_with_the_callback(kerases):
    weights = []
    for callbacks in ([], [kerases.ours.callbacks.Diagnose(X, Y, seconds=1e-9, verbose=0)]):
        kerases.keras.utils.set_random_seed(1)
        model = compiled(kerases)
        model.fit(X, Y, batch_size=16, epochs=2, callbacks=callbacks, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights):
        np.testing.assert_array_equal(one, other)
