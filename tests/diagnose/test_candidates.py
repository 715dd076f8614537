"""Accidental hits, repetitions and coverage of the candidates."""

import functools
import types

import numpy as np
import pytest

import tf_sampled_compat as tsc
from tests.diagnose.conftest import inputs, model_of, probing, zipf
from tf_sampled_compat.diagnose import candidates

C, N = 500, 512
X, Y = inputs(N), zipf(C, N)


def repeating(true_classes, num_true, num_sampled, unique, range_max, seed=None):
    return tsc.random.log_uniform_candidate_sampler(
        true_classes, num_true, num_sampled, False, range_max, seed=seed
    )


def found(kerases, name, sampler="log_uniform", num_sampled=64, x=X, y=Y, classes=C, **options):
    loss = kerases.ours.losses.SampledSoftmax(num_sampled, sampler=sampler, seed=1, **options)
    with probing(kerases, model_of(kerases, classes, loss), x, y) as probe:
        return {finding.name: finding for finding in candidates.findings(probe)}[name]


def test_hits_that_the_loss_leaves_out(kerases):
    finding = found(kerases, "accidental hits")
    assert finding.severity == "ok" and finding.figures["left_in_a_row"] == 0
    assert 0.2 < finding.figures["rows"] < 1
    assert finding.figures["share"] == pytest.approx(finding.figures["rows"] / 64)


def test_hits_that_stay_negatives(kerases):
    finding = found(kerases, "accidental hits", remove_accidental_hits=False)
    assert finding.severity == "warning" and "remove_accidental_hits=True" in finding.way_out
    assert finding.figures["left_in_a_row"] == pytest.approx(finding.figures["rows"])


def test_distinct_candidates(kerases):
    assert found(kerases, "repetitions").severity == "ok"


def test_a_sampler_that_repeats(kerases):
    finding = found(kerases, "repetitions", repeating)
    assert finding.severity == "warning" and finding.way_out == "exclude_true=True"
    assert finding.figures["share"] > 0.1
    hits = found(kerases, "accidental hits", repeating)
    assert hits.severity == "warning" and hits.figures["left_in_a_row"] > 0


def test_a_sampler_that_repeats_with_exclude_true(kerases):
    assert found(kerases, "repetitions", repeating, exclude_true=True).severity == "ok"
    hits = found(kerases, "accidental hits", repeating, exclude_true=True)
    assert hits.severity == "ok" and hits.figures["left_in_a_row"] == 0


def test_in_batch_candidates(kerases):
    sampler = tsc.random.InBatchSampler(tsc.random.LearnedUnigramSampler(C, seed=1))
    finding = found(kerases, "repetitions", sampler, num_sampled=32)
    assert finding.severity == "warning"
    assert found(kerases, "coverage", sampler, num_sampled=32).severity != "unknown"
    assert sampler.frequencies.counts().numpy().max() == 1


def test_coverage(kerases):
    finding = found(kerases, "coverage", "uniform")
    assert finding.severity == "ok" and finding.figures["drawn"] > 0.8
    assert "an epoch of 16 steps" in finding.seen


def test_a_tail_that_is_not_drawn(kerases):
    finding = found(kerases, "coverage", num_sampled=1, classes=50_000)
    assert finding.severity == "warning" and "MixtureSampler" in finding.way_out
    assert finding.figures["drawn_of_tail"] < 0.01


def test_classes_that_can_never_be_drawn(kerases):
    weights = [1.0] * (C // 2) + [0.0] * (C // 2)
    sampler = functools.partial(tsc.random.fixed_unigram_candidate_sampler, unigrams=weights)
    finding = found(kerases, "coverage", sampler)
    assert finding.severity == "warning" and finding.figures["never"] == pytest.approx(0.5)


def test_a_mixture_covers_what_its_parts_do(kerases):
    frequencies = tsc.random.LearnedUnigramSampler(C, seed=1)
    sampler = tsc.random.MixtureSampler(
        [(tsc.random.uniform_candidate_sampler, 32), (tsc.random.InBatchSampler(frequencies), 32)]
    )
    assert found(kerases, "coverage", sampler).figures["drawn"] > 0.8


def stub(labels=None, **loss):
    loss = {"_kind": "softmax", "exclude_true": False, "remove_accidental_hits": True, **loss}
    return types.SimpleNamespace(named=str, loss=types.SimpleNamespace(**loss), labels=labels)


def test_a_class_that_is_twice_true_is_hit_once():
    output = stub(np.array([[5, 5], [5, 6]]), remove_accidental_hits=False)
    hits = candidates._count(output, [np.array([5, 7, 5, 6])])
    assert hits == candidates._Hits(share=5 / 8, rows=1.0, left=2.5, repeats=1 / 4)
    output.loss.remove_accidental_hits = True
    assert candidates._count(output, [np.array([5, 7, 5, 6])]).left == 1, "a copy of each 5"


@pytest.mark.parametrize("kind, severity", [("softmax", "warning"), ("sigmoid", "note")])
def test_nce_allows_for_some_hits(kind, severity):
    hits = candidates._Hits(share=0.01, rows=0.05, left=0.05, repeats=0.0)
    assert candidates._hits(stub(_kind=kind), hits).severity == severity
    hits = hits._replace(rows=0.2)
    assert candidates._hits(stub(_kind=kind), hits).severity == "warning"


def test_the_tail_is_the_half_with_the_highest_ids(kerases):
    figures = found(kerases, "coverage", num_sampled=4).figures
    assert figures["drawn_of_tail"] < 0.7 * figures["drawn"]
