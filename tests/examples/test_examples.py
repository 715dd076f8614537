"""Each program of examples/ in its quick form is killed, resumes, serves, and beats its baseline.

The run that is killed has a process of its own. What comes after it runs in this process, which
knows nothing of the killed one but its folder: to start TensorFlow takes longer than to train. The
process that serves cannot import this package; all programs share one.
"""

import contextlib
import functools
import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.examples.conftest import PROGRAMS

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = {"common", "movielens", "serving", "table", "training", "wikipedia"}


# Imports TensorFlow once, which starts no thread, and runs each program in a process of its own.
STARTER = """
import json, os, runpy, sys
import keras, tf_sampled_compat.keras
for line in sys.stdin:
    arguments, output = json.loads(line)
    child = os.fork()
    if child == 0:
        for stream in (1, 2):
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        sys.argv = arguments
        sys.path.insert(0, os.path.dirname(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def starter():
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        yield process
        process.stdin.close()


def killed(starter, program, folder):
    """Runs a program until it is killed; returns how it ended, and what it printed."""
    folder.mkdir()
    path, output = ROOT / "examples" / f"{program}.py", folder / "output.txt"
    arguments = [str(path), "--quick", "--kill-in", "2", "--folder", str(folder)]
    print(json.dumps([arguments, str(output)]), file=starter.stdin, flush=True)
    return int(starter.stdout.readline()), output.read_text()


class Requests:
    """Starts the process that serves when it is first needed, and notes what it served."""

    def __init__(self):
        self.server, self.served = None, []
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """The next program goes on with the same process."""

    def answer(self, export, inputs):
        scores, ids = self.server.answer(export, inputs)
        self.served.append((export, ids))
        return scores, ids


@pytest.fixture(scope="module")
def requests():
    made = Requests()
    with made.stack:
        yield made


def read_once(monkeypatch, module, name):
    if hasattr(module, name):
        monkeypatch.setattr(module, name, functools.cache(getattr(module, name)))


def main(program, folder, capsys):
    code = program.main(["--quick", "--folder", str(folder)])
    printed = capsys.readouterr().out
    assert code == 0, printed
    return printed, json.loads((folder / "figures.json").read_text())


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_killed_resumes_serves_and_beats_its_baseline(
    name, program, starter, requests, tmp_path, capsys, monkeypatch
):
    data = PROGRAMS[name]
    if data is not None and importlib.util.find_spec(data) is None:
        pytest.skip(f"{data} is not installed: pip install tf_sampled_compat[examples]")
    code, printed = killed(starter, name, tmp_path / "killed")
    assert code == -signal.SIGKILL, printed[-2000:]
    assert "epoch 1: " in printed and "epoch 2: " not in printed
    assert not list(tmp_path.rglob("model.keras")), "it was killed before it had trained"

    serving = program("serving")
    if requests.server is None:
        requests.server = requests.stack.enter_context(serving.Server())
    monkeypatch.setattr(serving, "Server", lambda: requests)
    # The data is read once for both runs.
    read_once(monkeypatch, program(name), "read")
    read_once(monkeypatch, program("movielens"), "Movies")
    printed, figures = main(program(name), tmp_path / "killed", capsys)
    assert re.search(r"resumed after [1-9]\d* steps\nepoch 2: ", printed)
    export, ids = requests.served.pop()
    assert not requests.served and ids.shape[1] == 10
    assert (export / "saved_model.pb").exists() and export.is_relative_to(tmp_path)
    table = printed.split("held out")[-1].splitlines()[1:]
    assert len(table) == len(figures) and all(re.search(r"\d+  \S", row) for row in table)

    # What an export answers does not depend on how it was trained.
    monkeypatch.setattr(serving, "serve", lambda model, inputs, folder: ids)
    if (tmp_path / "killed" / "attention").exists():  # A second model, which was not killed.
        shutil.copytree(tmp_path / "killed" / "attention", tmp_path / "uninterrupted" / "attention")
    _, uninterrupted = main(program(name), tmp_path / "uninterrupted", capsys)
    for (figure, resumed, *_), (same, whole, *_) in zip(figures, uninterrupted):
        assert figure == same
        np.testing.assert_allclose(resumed, whole, rtol=1e-5, err_msg=figure)


def test_every_program_is_tested():
    files = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert files == {*PROGRAMS, "partial_fc"} | SHARED
