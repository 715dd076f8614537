"""Starts the worker of a checkout and sends it requests; see worker.py."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Optional

from tf_sampled_compat.core.backends import library

_FOLDER = pathlib.Path(__file__).resolve().parent

# One thread allocates the same blocks each time. oneDNN would keep blocks and so hide them.
_COUNTED_ALONE = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


class WorkerError(Exception):
    """The worker did not answer."""


class Worker:
    """A process that works in a checkout. Use it in a `with` statement.

    Args:
      tree: The checkout.
      size: "full" or "quick".
      counter: The library that counts bytes, which is preloaded; None not to count.
    """

    def __init__(self, tree: pathlib.Path, size: str, *, counter: Optional[pathlib.Path] = None):
        environment = {**os.environ, "PYTHONPATH": str(tree), "CUDA_VISIBLE_DEVICES": "-1"}
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        environment.pop(library.DIRECTORY_VARIABLE, None)
        if counter is not None:
            environment.update(_COUNTED_ALONE, LD_PRELOAD=str(counter))
        self._process = start([sys.executable, str(_FOLDER / "worker.py"), size], environment)
        where = pathlib.Path(self.ask("where"))
        if tree not in where.parents:
            self.close()
            raise WorkerError(f"expected the package of {tree}, got {where}")

    def ask(self, what: str, step: str = "", runs: int = 1) -> Any:
        """Returns the worker's answer.

        Raises:
          WorkerError: If the worker has no answer or has ended.
        """
        request = {"what": what, "step": step, "runs": runs}
        return ask(self._process, request)

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


def start(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Starts a process that answers requests."""
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=dict(environment),
    )


def ask(process: subprocess.Popen[str], request: Mapping[str, Any]) -> Any:
    """Sends a request and returns the answer; see `Worker.ask`."""
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass
    line = process.stdout.readline()
    if not line:
        raise WorkerError(f"the worker ended with {process.wait()} at {request}")
    reply = json.loads(line)
    if "error" in reply:
        raise WorkerError(reply["error"])
    return reply["answer"]


def build_counter(folder: pathlib.Path) -> Optional[pathlib.Path]:
    """Compiles allocations.c; returns None if that fails, as without glibc."""
    library_file = folder / "allocations.so"
    command = ["cc", "-O2", "-shared", "-fPIC", str(_FOLDER / "allocations.c")]
    try:
        done = subprocess.run([*command, "-o", str(library_file)], capture_output=True)
    except OSError:
        return None
    return library_file if done.returncode == 0 else None
