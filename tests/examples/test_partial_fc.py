"""The program that trains on a share of the classes, in its quick form, and its parts."""

import re

import numpy as np
import pytest


def test_it_beats_the_inputs_at_each_rate_and_margin(program, capsys):
    partial_fc = program("partial_fc")
    code = partial_fc.main(["--quick", "--rates", "0.1", "1"])
    printed = capsys.readouterr().out
    assert code == 0, printed
    raw = float(re.search(r"own cosines: (\d\.\d+)", printed)[1])
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \| \d+ \|$", printed, re.MULTILINE)
    assert [row[:2] for row in rows] == [
        ("ArcFace", "0.1"), ("ArcFace", "1"), ("CosFace", "0.1"), ("CosFace", "1")
    ]  # fmt: skip
    assert all(float(found) > raw + 0.1 for _, _, found in rows), printed


def test_a_network_that_learns_nothing_is_a_failure(program, monkeypatch, capsys):
    partial_fc = program("partial_fc")
    monkeypatch.setattr(partial_fc, "accuracy", lambda embedded, same: 0.5)
    assert partial_fc.main(["--quick", "--rates", "0.1"]) == 1
    assert "| CosFace | 0.1 | 0.5000 |" in capsys.readouterr().out


def test_the_accuracy_is_that_of_a_threshold_that_the_judged_pairs_did_not_choose(program):
    accuracy = program("partial_fc").accuracy
    angles = np.array([0.1, 1.2, 0.2, 1.3] * 50)
    embedded = np.stack([
        np.tile([1.0, 0.0], [200, 1]), np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ])  # fmt: skip
    same = angles < 1
    assert accuracy(embedded, same) == pytest.approx(1)
    # The halves have opposite answers, so that what is best for one half is wrong for the other.
    assert accuracy(embedded, np.where(np.arange(200) < 100, same, ~same)) < 0.6
    chance = np.random.RandomState(0).rand(200) < 0.5
    assert accuracy(embedded, chance) == pytest.approx(0.5, abs=0.12)


def test_inputs_of_an_identity_are_nearer_to_each_other_in_the_directions_that_count(program):
    faces = program("partial_fc").Faces(0)
    (first, second), same = faces.pairs(2000)
    assert same.mean() == 0.5 and np.array_equal(same, np.arange(2000) % 2 == 0)
    latent = [program("partial_fc").unit((x @ faces.mix.T)[:, :16]) for x in (first, second)]
    cosines = (latent[0] * latent[1]).sum(axis=1)
    assert np.median(cosines[same]) > 0.6 and abs(np.median(cosines[~same])) < 0.1
    labels = faces.labels(10_000, 50)
    assert labels.min() == 0 and labels.max() == 49, "each identity occurs"
    assert np.bincount(labels)[0] > 5 * np.bincount(labels)[40]
