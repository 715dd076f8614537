"""Labels that overflow, are out of range, or follow another law than the sampler."""

import numpy as np
import pytest

from tests.diagnose.conftest import inputs, model_of, probing, zipf
from tf_sampled_compat.diagnose import labels

C, N = 500, 4000
X, Y = inputs(N), zipf(C, N)


def found(kerases, y, name, **options):
    with probing(kerases, model_of(kerases, **options), X[: len(y)], y) as probe:
        return {finding.name: finding for finding in labels.findings(probe)}.get(name)


def test_healthy_labels(kerases):
    assert found(kerases, Y, "labels").severity == "ok"
    law = found(kerases, Y, "law")
    assert law.severity == "ok" and law.figures["distance"] < 0.1
    assert law.figures["worth_num_sampled"] == pytest.approx(64, rel=0.1)


def test_labels_that_contradict_log_uniform(kerases):
    law = found(kerases, np.random.RandomState(0).permutation(C)[Y], "law")
    assert law.severity == "warning" and "fixed_unigram" in law.way_out
    assert law.figures["distance"] > 0.4 and law.figures["worth_num_sampled"] < 32


@pytest.mark.parametrize("sampler", ["uniform", {"name": "fixed_unigram", "unigrams": [1.0] * C}])
def test_no_other_sampler_is_held_to_log_uniform(kerases, sampler):
    loss = kerases.ours.losses.SampledSoftmax(64, sampler=sampler)
    assert found(kerases, C - 1 - Y, "law", loss=loss) is None


def test_few_labels_say_nothing(kerases):
    assert found(kerases, C - 1 - Y[:32], "law").severity == "ok"


@pytest.mark.parametrize("dtype, classes", [(np.int8, 500), (np.float16, 3000)])
def test_a_dtype_that_does_not_hold_the_classes(kerases, dtype, classes):
    finding = found(kerases, (Y % 100).astype(dtype), "labels", classes=classes)
    assert finding.severity == "error" and "int64" in finding.way_out
    assert finding.figures["largest_exact"] == {np.int8: 127, np.float16: 2048}[dtype]


@pytest.mark.parametrize("dtype, most", [("int32", 2**31 - 1), ("float32", 2**24)])
def test_what_a_dtype_holds(dtype, most):
    assert labels._largest_of(np.dtype(dtype)) == most


def test_labels_out_of_range(kerases):
    finding = found(kerases, np.append(Y[:62], [-7, C]), "labels")
    assert finding.severity == "error"
    assert finding.figures == {"negative": 1, "too_large": 1}


def test_padding_is_no_label_out_of_range(kerases):
    loss = kerases.ours.losses.SampledSoftmax(64, padding_label=-1, num_true=2)
    y = np.stack([Y, np.where(Y % 2, Y, -1)], axis=1)
    assert found(kerases, y, "labels", loss=loss).severity == "ok"


def test_fractions(kerases):
    assert found(kerases, Y[:64] + 0.5, "labels").severity == "error"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_labels_that_are_no_numbers(kerases, bad):
    finding = found(kerases, np.append(Y[:63].astype(np.float32), bad), "labels")
    assert finding.severity == "error" and "1 of 64 are NaN or infinite" in finding.seen


def test_one_hot_labels(kerases):
    finding = found(kerases, np.eye(C, dtype=np.int64)[Y[:64]], "labels")
    assert finding.severity == "error" and "not one-hot" in finding.way_out
    assert "(32, 500)" in finding.seen


def test_what_a_few_labels_differ_by_chance_is_no_distance(kerases):
    """120 labels of the very law differ from it by about 0.1."""
    laws = [found(kerases, Y[k : k + 120], "law") for k in (0, 1000, 2000, 3000)]
    assert np.mean([law.figures["distance"] for law in laws]) < 0.06


def test_the_law_names_the_classes_that_are_too_frequent(kerases):
    law = found(kerases, np.full(200, 300), "law")
    assert "100 % of the labels are classes 255 to 499" in law.seen
