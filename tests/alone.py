"""Runs a function of a test module in a process of its own.

Two MirroredStrategy objects on the same devices in one process cannot gather values of different
shapes: TensorFlow numbers their collectives alike, and remembers the shape of each number.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def alone(module, call):
    """Runs `call`, an expression, with the module's names; fails with what it wrote."""
    code = f"import tests.conftest\nfrom {module} import *\n{call}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
