"""The corpus of old programs: what each calls, what it printed in its day, and how to run it."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np

from tests.legacy import clipping, generate, printed

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
RTOL = 1e-4
# Which losses of ours each program must have called while it built its graph.
LOSSES = {
    "model_fn": {"sampled_sparse_softmax_loss"},
    "ptb_lm": {"sampled_softmax_loss"},
    "recommender": {"sampled_softmax_loss", "rank_sampled_softmax_loss"},
    "self_normalizing": {"sampled_sparse_softmax_loss"},
    "seq2seq": {"sampled_softmax_loss"},
    "seq2seq_0x": {"sampled_softmax_loss"},
    "word2vec": {"nce_loss"},
    "word2vec_0x": {"nce_loss"},
}
# Every run of a program that has recorded values.
RUNS = [*LOSSES, *(name + generate.CLIPPED for name in clipping.NORMS)]


def run_programs(folder, how="install"):
    """Runs all programs of a folder, under `install()` or "alone", in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.legacy.run", how, str(folder)],
        cwd=HERE.parent.parent, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout)


def golden(name):
    text = (HERE / "golden" / f"{name}.txt").read_text()
    return text.splitlines()[0], printed.read(text)


def assert_equals_the_old_tensorflow(name, outcome):
    """Fails unless a run called our losses alone, and its 50 steps have the old numbers."""
    expected, got = golden(name)[1], outcome["values"]
    assert set(outcome["calls"]) == LOSSES[generate.program_of(name)]  # ours, and not TensorFlow's
    assert len(expected["loss"]) == 50 and len(set(expected["loss"])) > 45
    assert got.keys() == expected.keys()
    for series, numbers in expected.items():
        np.testing.assert_allclose(got[series], numbers, RTOL, err_msg=series)
