"""A batch whose labels all count for nothing: one finding says so, and none speaks of NaN."""

import numpy as np
import pytest

from tests.diagnose.conftest import D, inputs, model_of, zipf

C, N = 500, 256
X, Y = inputs(N), zipf(C, N)
BATCH = np.unique(np.linspace(0, N - 1, 32).astype(np.int64))  # The rows of a batch of 32.


def report_of(kerases, model, x, y):
    return kerases.ours.diagnose(model, x, y, verbose=0, seconds=60)


def assert_one_finding_says_so(report, name="labels", rows=32):
    finding = report[name]
    assert finding.severity == "warning", str(report)
    assert f"no label of the batch counts: all {rows} rows" in finding.seen and finding.way_out
    assert "nan" not in str(report).replace("NaN", "").lower(), str(report)
    assert report["NaN"].severity == "ok"
    assert {f.name for f in report.findings if f.severity == "warning"} == {name}


@pytest.mark.parametrize("way", ["padding_label", "ignore_class"])
@pytest.mark.parametrize("rest", ["too", "not"])
def test_labels_that_are_no_classes(kerases, way, rest):
    """Those of the batch alone, or of all data."""
    options = {"num_true": 2} if way == "padding_label" else {}
    loss = kerases.ours.losses.SampledSoftmax(64, **{way: -1}, **options)
    y = np.full(N, -1) if rest == "too" else np.array(Y)
    y[BATCH] = -1
    y = np.stack([y, y], axis=1) if options else y
    report = report_of(kerases, model_of(kerases, C, loss), X, y)
    assert_one_finding_says_so(report)
    names = {finding.name for finding in report.findings}
    assert not names & {"num_sampled", "accidental hits", "repetitions", "coverage"}


def test_time_steps_that_are_masked(kerases):
    keras, ours = kerases.keras, kerases.ours
    tokens = keras.Input([5], dtype="int64")
    words = keras.layers.Embedding(C, D, mask_zero=True)(tokens)
    model = keras.Model(tokens, ours.layers.SampledDense(C)(words))
    model.compile("sgd", ours.losses.SampledSoftmax(64))
    x = np.zeros([N, 5], np.int64)
    assert_one_finding_says_so(report_of(kerases, model, x, x), rows=160)


def test_one_output_of_two(kerases):
    keras, ours = kerases.keras, kerases.ours
    x = keras.Input([D])
    outputs = [ours.layers.SampledDense(C, name=name)(x) for name in ("one", "two")]
    model = keras.Model(x, outputs)
    loss = ours.losses.SampledSoftmax(64, ignore_class=-1)
    model.compile("sgd", [loss, ours.losses.SampledSoftmax(64)])
    report = report_of(kerases, model, X, [np.full(N, -1), Y])
    assert_one_finding_says_so(report, "labels of one")
    assert report["num_sampled of two"].figures
