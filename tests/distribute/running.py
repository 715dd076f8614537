"""Runs checks on a cluster of processes, and returns what they returned."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.distribute import namespace

ROOT = pathlib.Path(__file__).resolve().parents[2]


def on_cluster(folder, checks, *, workers, ps=2):
    """Returns the outcome of each check: what it returned, or an AssertionError with its error.

    Args:
      folder: Where the results and the servers' output go.
      checks: As for `tests.distribute.chief`.
      workers: The number of workers.
      ps: The number of parameter servers.
    """
    reason = namespace.obstacle()
    if reason:
        pytest.skip(reason)
    results, log = folder / "results.json", folder / "log"
    arguments = [str(workers), str(ps), str(results), *checks]
    command = namespace.command("-m", "tests.distribute.chief", *arguments)
    with log.open("w") as output:
        done = subprocess.run(
            command, cwd=ROOT, stdout=output, stderr=output, timeout=540, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        )  # fmt: skip
    assert done.returncode == 0, log.read_text()[-5000:]
    return json.loads(results.read_text())


def value_of(outcome):
    """Returns what a check returned, or fails with its error."""
    assert "error" not in outcome, outcome["error"]
    return outcome["value"]
