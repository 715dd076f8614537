"""The golden files themselves: they have not changed, and the cases have their properties."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from golden import cases, inputs, replay, store
from tests.golden.compare import assert_equals, golden_value

MANIFEST = store.read_manifest()


def _hits_promised():
    return [case for case in cases.all_cases() if case.remove_accidental_hits]


def test_there_are_enough_cases():
    names = [case.name for case in cases.all_cases()]
    assert len(names) == len(set(names)) == MANIFEST["cases"] >= 300
    assert len(list(cases.pairs())) >= 900


@pytest.mark.parametrize("era", cases.ERAS)
def test_values_are_those_of_the_manifest(era):
    with open(store.values_path(era), "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == MANIFEST["eras"][era]["sha256"]
    wanted = {store.key(case, api) for case, api in cases.pairs(era)}
    assert set(store.read(era)) == wanted
    assert MANIFEST["eras"][era]["values"] == len(wanted)


def test_arrays_have_not_drifted():
    assert MANIFEST["inputs"] == {case.name: inputs.fingerprint(case) for case in cases.all_cases()}


def test_seeds_are_those_of_the_manifest():
    seeds = {case.name: case.seed for case in cases.all_cases() if case.seed is not None}
    assert MANIFEST["sampler_seeds"] == seeds


def test_writing_gives_the_same_bytes(tmp_path, monkeypatch):
    """Sorted names and fixed times, so that equal values are equal files."""
    values = store.read("0.12")
    monkeypatch.setattr(store, "values_path", lambda era: str(tmp_path / era))
    store.write("a", values)
    store.write("b", dict(reversed(list(values.items()))))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_dimension_is_covered():
    def seen(field):
        return {getattr(case, field) for case in cases.all_cases()}

    assert seen("loss") == {cases.SOFTMAX, cases.NCE, cases.SPARSE, cases.RANK}
    assert seen("num_true") >= {1, 2, 5}
    assert seen("shards") == {1, 2, 3, 7}
    assert seen("partition_strategy") == {"div", "mod"}
    assert seen("negatives") >= {*cases.SAMPLERS, cases.FIXED, cases.REPEATED, cases.DEFAULT}
    assert {1} <= seen("batch") and {1} <= seen("dim") and {1} <= seen("num_sampled")
    assert any(case.num_sampled == case.num_classes for case in cases.all_cases())
    assert {len(rows) for case in cases.all_cases() for rows in inputs.piece_rows(case)} >= {3, 4}


@pytest.mark.parametrize("loss", [cases.SOFTMAX, cases.NCE, cases.SPARSE, cases.RANK])
def test_each_loss_meets_each_condition(loss):
    own = [case for case in cases.all_cases() if case.loss == loss]
    for field, values in {
        "remove_accidental_hits": (True, False),
        "shards": (1, 2, 3, 7),
        "table": ("list", "partitioned"),
        "biases": ("sharded", "whole"),
        "logits": ("small", "huge"),
        "counts": ("near", "wide", "positional"),
        "negatives": (*cases.SAMPLERS, cases.FIXED, cases.REPEATED),
    }.items():
        assert {getattr(case, field) for case in own} >= set(values), field


def test_hits_are_there_to_be_removed():
    for case in _hits_promised():
        arrays = inputs.arrays(case)
        if cases.is_drawn(case):
            arrays["sampled"] = golden_value(case, case.apis[0])["sampled"]
        assert inputs.has_hit(arrays["labels"], arrays["sampled"]), case.name


def test_ranges_of_logits_and_counts():
    for case in cases.all_cases():
        arrays = inputs.arrays(case)
        logits = arrays["inputs"] @ arrays["weights"].T + arrays["biases"]
        if case.logits == "huge":
            assert np.abs(logits).max() == pytest.approx(60, rel=1e-5), case.name
        if case.counts == "wide" and case.num_sampled > 1:
            counts = arrays["sampled_expected_count"]
            assert counts.min() == np.float32(1e-6) and counts.max() == 1, case.name


def test_repeats_are_there():
    for case in cases.all_cases():
        arrays = inputs.arrays(case)
        if case.labels == "twice":
            assert (arrays["labels"][:, 0] == arrays["labels"][:, 1]).all()
        if case.negatives == cases.REPEATED:
            assert (arrays["sampled"] == arrays["labels"][0, 0]).sum() >= 3


def test_first_passes_are_not_close_calls():
    """TAPAS's choice must not depend on rounding, unless equal scores belong to one class."""
    for case in cases.all_cases():
        if case.loss != cases.RANK or case.table == "partitioned":
            continue
        arrays = inputs.arrays(case)
        if cases.is_drawn(case):
            arrays["sampled"] = golden_value(case, case.apis[0])["sampled"]
        scores = _scores(case, arrays)
        order = np.argsort(-scores)
        last, first_out = order[case.num_resampled - 1 : case.num_resampled + 1]
        if arrays["sampled"][last] != arrays["sampled"][first_out]:
            assert scores[last] - scores[first_out] > 1e-4, case.name


def _scores(case, arrays):
    weights, biases, x = (arrays[n].astype(np.float64) for n in ("weights", "biases", "inputs"))
    logits = (weights[arrays["sampled"]] @ x.T) / case.resampling_temperature
    largest = logits.max(axis=1, keepdims=True)
    lse = largest[:, 0] + np.log(np.exp(logits - largest).sum(axis=1))
    return lse + biases[arrays["sampled"]] / case.resampling_temperature


_LIVE_SUBSET = [pair for pair in cases.pairs("2.21")][::25]


@pytest.mark.skipif(not tf.__version__.startswith("2.21."), reason="values of TensorFlow 2.21")
@pytest.mark.parametrize(
    ("case", "api"), _LIVE_SUBSET, ids=lambda part: getattr(part, "name", part)
)
def test_live_tensorflow_still_gives_its_golden_values(case, api):
    losses = tf.nn if api == cases.TF221 else tf.compat.v1.nn
    samplers = tf.random if api == cases.TF221 else tf.compat.v1.nn
    outcome = replay.in_graph(tf.compat.v1, losses, samplers, case, api)
    assert_equals(case, outcome, golden_value(case, api), api)
