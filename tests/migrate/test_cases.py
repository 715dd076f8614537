"""Each case of `cases/`: what migrate makes of it, once and again, and what it reports."""

import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from tests.migrate.cases_table import cases
from tests.problems import assert_close, problem
from tf_sampled_compat.migrate import files
from tf_sampled_compat.migrate.notes import CHANGED

CASES = cases()
P = problem(C=50, T=1, B=4, S=5, D=8)
each = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def migrate(code, era):
    return files.migrate(code.encode(), era, is_notebook=False)


def asked(outcome):
    """What a person is asked to look at: `line: name`."""
    lines = [line for line in outcome.report if line.note.kind != CHANGED]
    return [f"{line.place.split(':')[0]}: {line.note.code}" for line in lines]


@each
def test_rewriting(case):
    outcome = migrate(case.before, case.era)
    assert outcome.after.decode() == case.after
    assert asked(outcome) == case.reports
    for line in outcome.report:
        assert line.note.reason and (line.note.way_out or line.note.kind == CHANGED)


@each
def test_a_second_run_changes_nothing(case):
    again = migrate(case.after, case.era)
    assert again.after.decode() == case.after
    assert {r.split(": ")[1] for r in asked(again)} == {r.split(": ")[1] for r in case.reports}


@each
def test_line_ends_and_marks_stay(case):
    """With CRLF, a byte-order mark, form feeds and no final newline: the same, and they stay."""
    if any("unparsable" in report for report in case.reports):
        return

    def dressed(code):
        return b"\xef\xbb\xbf#\n\x0c\n" + code.rstrip("\n").replace("\n", "\r\n").encode()

    outcome = files.migrate(dressed(case.before), case.era, is_notebook=False)
    assert outcome.after == dressed(case.after)


@pytest.fixture
def contrib(monkeypatch):
    """A `tensorflow.contrib` with a stand-in: the loss that TF 1 defined the sparse one by."""

    def sampled_sparse_softmax_loss(weights, biases, labels, inputs, num_sampled, num_classes,
                                    sampled_values=None):  # fmt: skip
        return tf.compat.v1.nn.sampled_softmax_loss(
            weights, biases, labels, inputs, num_sampled, num_classes, 1, sampled_values
        )

    module = types.ModuleType("tensorflow.contrib")
    module.nn = types.SimpleNamespace(sampled_sparse_softmax_loss=sampled_sparse_softmax_loss)
    monkeypatch.setitem(sys.modules, "tensorflow.contrib", module)


def loss(code, era):
    """What the code calls `loss`; code of 1.x runs on `tf.compat.v1`."""
    if era == "1.x":
        code = code.replace("import tensorflow as tf\n", "import tensorflow.compat.v1 as tf\n")
    tf.random.set_seed(1)
    cuts = ((0, 17), (17, 34), (34, 50))
    names = {
        "pieces": [tf.constant(P.weights[start:end]) for start, end in cuts],
        "b": tf.constant(P.biases), "y": tf.constant(P.labels), "x": tf.constant(P.inputs),
        "sampled": tuple(map(tf.constant, P.arguments["sampled_values"])),
    }  # fmt: skip
    exec(compile(code, "case", "exec"), names)
    return names["loss"].numpy()


RUNS = cases("runs")


@pytest.mark.parametrize("case", RUNS, ids=[case.name for case in RUNS])
def test_the_losses_are_equal(case, contrib):
    before, after = loss(case.before, case.era), loss(case.after, case.era)
    assert np.all(np.isfinite(before)) and before.shape == (4,)
    assert_close(after, before)
