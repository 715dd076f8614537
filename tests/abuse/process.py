"""Programs that abuse the package, each in a process of its own."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Seconds, on a busy machine. A process that is still there then hangs.
LIMIT = 240

PRELUDE = """
import os, resource, signal, sys, threading
import numpy as np
import tensorflow as tf
import tf_sampled_compat as tsc
from tests.abuse.prelude import P, SMALL, equal, loss_of, many
"""


def run(program: str, *arguments: str, code: int = 0, **environment: str) -> str:
    """Runs a program after the prelude, and returns what it printed.

    Fails unless it ends with the exit code, in time, and without a word of a crash.
    """
    result = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PRELUDE + program, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert result.returncode == code, f"code {result.returncode}: {result.stderr[-3000:]}"
    assert "Fatal" not in result.stderr and "terminate called" not in result.stderr
    return result.stdout
