"""What reads the logits: a metric, a loss, eager execution."""

import pytest

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
