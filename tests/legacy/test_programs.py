"""Each legacy program under `install()`, unchanged, equals what the old TensorFlow printed."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.legacy import generate, printed

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


@pytest.fixture(scope="module")
def outcomes():
    return run_programs(PROGRAMS)


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory):
    """The outcomes of the programs with the package's names put in by hand."""
    folder = tmp_path_factory.mktemp("rewritten")
    for name in LOSSES:
        version = "v0" if printed.era(name) else "v1"
        text = (PROGRAMS / f"{name}.py").read_text()
        text = text.replace("from tensorflow.contrib", "from tf_sampled_compat.contrib")
        for loss in ("sampled_softmax_loss", "nce_loss"):
            text = text.replace(f"tf.nn.{loss}(", f"tsc.compat.{version}.nn.{loss}(")
        text = text.replace("import numpy", "import tf_sampled_compat as tsc\nimport numpy", 1)
        (folder / f"{name}.py").write_text(text)
    return run_programs(folder, "alone")


def test_every_program_is_here():
    assert set(generate.names()) == set(LOSSES)
    assert {path.stem for path in (HERE / "golden").iterdir()} == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_values_are_those_of_the_program_as_it_stands(name):
    assert golden(name)[0] == generate.header(name)


@pytest.mark.parametrize("name", LOSSES)
def test_program_knows_nothing_of_the_package(name):
    text = (PROGRAMS / f"{name}.py").read_text()
    assert "sampled_compat" not in text and "tsc" not in text


@pytest.mark.parametrize("way", ["outcomes", "rewritten"])
@pytest.mark.parametrize("name", LOSSES)
def test_equals_the_old_tensorflow_step_by_step(name, way, request):
    outcome = request.getfixturevalue(way)[name]
    expected, got = golden(name)[1], outcome["values"]
    assert set(outcome["calls"]) == LOSSES[name]  # ours, and not TensorFlow's
    assert len(expected["loss"]) == 50 and len(set(expected["loss"])) > 45
    assert got.keys() == expected.keys()
    for series, numbers in expected.items():
        np.testing.assert_allclose(got[series], numbers, RTOL, err_msg=series)
