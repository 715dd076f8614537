"""What reads the logits: a metric, a loss, eager execution."""

import numpy as np
import pytest
import tensorflow as tf

from tests.diagnose.conftest import inputs, model_of, probing, zipf
from tf_sampled_compat.diagnose import logits

C = 500
X, Y = inputs(64), zipf(C, 64)


def found(kerases, model, watch):
    with probing(kerases, model, X, Y, watch) as probe:
        [finding] = logits.findings(probe)
    return finding


def test_a_healthy_model(kerases, told):
    model = model_of(kerases, metrics=[kerases.ours.metrics.ExactMRR()])
    finding = found(kerases, model, told())
    assert finding.severity == "ok" and "no step computes them" in finding.seen


@pytest.mark.parametrize("metric", ["accuracy", "object", "function"])
def test_a_metric_that_reads_them(kerases, told, metric):
    metrics = kerases.keras.metrics
    given = {
        "accuracy": "accuracy",
        "object": metrics.SparseTopKCategoricalAccuracy(5, name="top"),
        "function": metrics.sparse_categorical_accuracy,
    }[metric]
    model = model_of(kerases, metrics=[given, kerases.ours.metrics.ExactMRR()])
    finding = found(kerases, model, told(step=0.015, step_with_logits=0.198))
    assert finding.severity == "warning"
    assert "[32, 500]" in finding.seen and "exact_mrr" not in finding.seen
    assert "198 ms" in finding.cost and "15 ms" in finding.cost
    assert f"tsc.{kerases.name}.metrics.ExactRecallAtK" in finding.way_out
    assert finding.figures == {"step_ms": 15.0, "step_with_logits_ms": 198.0}


def test_a_metric_that_costs_little_is_a_note(kerases, told):
    model = model_of(kerases, metrics=["accuracy"])
    finding = found(kerases, model, told(step=0.015, step_with_logits=0.016))
    assert finding.severity == "note"


def test_eager_execution(kerases, told):
    model = model_of(kerases, run_eagerly=True)
    finding = found(kerases, model, told(step=0.015, step_with_logits=0.198))
    assert finding.severity == "warning" and "run_eagerly=True" in finding.seen
    assert finding.way_out == "compile(run_eagerly=False)"


def test_a_loss_that_reads_them(kerases, told):
    loss = kerases.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    finding = found(kerases, model_of(kerases, loss=loss), told())
    assert finding.severity == "note" and "sparse_categorical_crossentropy" in finding.seen
    assert "SampledSoftmax" in finding.way_out


def test_without_time_the_finding_says_so(kerases, told):
    watch = told()
    watch._end = float("-inf")
    finding = found(kerases, model_of(kerases, metrics=["accuracy"]), watch)
    assert finding.severity == "note" and "not measured" in finding.cost


def test_a_loss_that_reads_many_of_them(kerases, told, monkeypatch):
    monkeypatch.setattr(logits, "_MANY", 32 * C)
    loss = kerases.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert found(kerases, model_of(kerases, loss=loss), told()).severity == "warning"
    monkeypatch.setattr(logits, "_MANY", 32 * C + 1)
    assert found(kerases, model_of(kerases, loss=loss), told()).severity == "note"


@pytest.mark.parametrize("metric", ["accuracy", "object"])
def test_the_step_with_logits_computes_them(kerases, told, metric):
    """With a copy of the metric; or by the best classes, if it cannot be copied."""
    made = kerases.keras.metrics.SparseTopKCategoricalAccuracy(5)
    model = model_of(kerases, metrics=[made if metric == "object" else metric])
    watch, results = told(), {}
    watch.time = lambda what, function: results.setdefault(what, function()) and 1.0
    found(kerases, model, watch)
    read = [np.asarray(value) for value in tf.nest.flatten(results["step with logits"][2])]
    if metric == "object":
        assert any(value == 32 for value in read), "it has counted the batch"
    else:
        assert [value.shape for value in read] == [(32,)]
    assert not tf.nest.flatten(results["step"][2])
