"""What the callbacks of `fit` monitor, and the callback that examines them."""

import numpy as np
import pytest

from tests.diagnose.conftest import inputs, model_of, zipf
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
