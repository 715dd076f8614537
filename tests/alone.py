"""Runs a function of a test module in its own process.

In one process, two MirroredStrategy objects on the same devices cannot gather values of different
shapes: TensorFlow gives their collectives the same numbers, and keeps one shape for each number.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def alone(module, call):
    """Evaluates the expression `call` with the module's names; fails with its output."""
    code = f"import tests.conftest\nfrom {module} import *\n{call}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
