"""The parts of the programs on which the honesty of their figures rests."""

import importlib
import pathlib
import sys

import numpy as np
import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
# Two users: the movies they rated in time, and how many of them before the split.
USERS = [(np.arange(1, 101), 60), (np.arange(101, 104), 0)]


@pytest.fixture
def program(monkeypatch):
    """Imports a program as one that is started from its own folder does."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (EXAMPLES / f"{name}.py").exists():
            del sys.modules[name]


@pytest.mark.parametrize(
    "ours, better, code", [(2, "higher", 0), (0, "higher", 1), (2, "lower", 1), (0, None, 0)]
)
def test_the_verdict_is_the_exit_code(program, capsys, ours, better, code):
    verdict = program("common").verdict
    assert verdict([("a", 2, 1, "b", "higher"), ("c", ours, 1, "d", better)]) == code
    assert ("NOT BEATEN" in capsys.readouterr().out) == bool(code)


def test_a_figure_that_is_nan_or_no_better_beats_nothing(program):
    verdict = program("common").verdict
    assert verdict([("a", float("nan"), 1, "b", "lower")]) == 1
    assert verdict([("a", 1, 1, "b", "lower")]) == 1


@pytest.mark.parametrize("name", ["sequence_recommender", "two_towers"])
def test_no_training_row_is_from_after_the_split(program, name):
    x, y = program(name).training_rows(USERS)
    assert x.max() < 60 and y.max() == 60
    assert set(np.unique(y)) - {0} == set(range(2, 61)), "each rating but the first is learned"


def test_a_history_holds_all_that_was_rated_before_and_nothing_later(program):
    movies = program("common").Movies.__new__(program("common").Movies)
    movies.users = USERS
    rated, labels = movies.held_out(1_000)
    assert sorted(labels) == [*range(61, 101), 102, 103]
    for history, label in zip(rated, labels):
        np.testing.assert_array_equal(history, np.arange(101 if label > 100 else 1, label))


def test_the_most_popular_leave_out_what_was_rated(program):
    found = program("common").most_popular([np.array([1, 3]), np.array([9])], k=3)
    np.testing.assert_array_equal(found, [[2, 4, 5], [1, 2, 3]])


def test_bigram_probabilities_sum_to_one_and_prefer_what_was_counted(program):
    train = np.array([0, 1, 2, 0, 1, 3, 0, 1, 2], np.int32)
    bigrams = program("language_model").Bigrams(train, 5)
    every = np.array([bigrams.probability(np.full(5, x), np.arange(5)) for x in range(5)])
    np.testing.assert_allclose(every.sum(axis=1), 1, rtol=1e-12)
    assert every[0].argmax() == 1 and every[1].argmax() == 2
    assert bigrams.best(np.array([1]), k=2).tolist() == [[2, 3]]
