"""The raw ops, called by graphs that no release of the package makes: an error, never a crash.

Each call runs in a process of its own kind, a worker, so that a crash or a hang is seen and can be
assigned to a call.
"""

from __future__ import annotations

import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
from typing import Optional

from tests.fuzz import raw_cases
from tests.fuzz.raw_cases import Call, as_call
from tests.fuzz.target import Target

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = pathlib.Path(__file__).with_name("kept_raw_ops.jsonl")
# Seconds without an answer, on a busy machine.
LIMIT = 60.0
REFUSALS = {
    "InvalidArgumentError", "ResourceExhaustedError", "ValueError", "TypeError", "NotFoundError",
}  # fmt: skip


class Died(AssertionError):
    """The worker crashed or hangs."""


class Worker:
    """A process that answers calls."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.raw_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "CUDA_VISIBLE_DEVICES": "-1",
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "PYTHONPATH": str(ROOT),
            },
        )
        self._lines: queue.Queue[Optional[str]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self._line(4 * LIMIT) == "ready\n", self._last_words()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _line(self, limit: float) -> Optional[str]:
        try:
            line = self._lines.get(timeout=limit)
        except queue.Empty:
            self.stop()
            raise Died(f"no answer for {limit:.0f} s: it hangs") from None
        if line is None:
            code = self._process.wait()
            raise Died(f"the process ended with {code}: {self._last_words()}")
        return line

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:]

    def ask(self, call: Call) -> tuple[str, str]:
        """Returns "value" or the class of an error, and its message."""
        try:
            self._process.stdin.write(json.dumps(call) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # It died of the last call, after it had answered.
        name, message = json.loads(self._line(LIMIT))
        return name, message

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


_worker: Optional[Worker] = None


def stop() -> None:
    """Ends the worker, if there is one."""
    global _worker
    if _worker is not None:
        _worker.stop()
    _worker = None


def check(call: Call) -> None:
    """Calls the op in the worker, and starts another one if it died."""
    global _worker
    if _worker is None:
        _worker = Worker()
    try:
        name, message = _worker.ask(call)
    except Died as error:
        stop()
        raise Died(f"{error}\nto keep it in {KEPT.name}:\n{json.dumps(call)}") from None
    assert name in {"value", *REFUSALS}, f"{name}: {message}\n{json.dumps(call)}"


def kept() -> tuple[Call, ...]:
    """Returns the earlier finds."""
    return tuple(as_call(json.loads(line)) for line in KEPT.read_text().splitlines())


TARGET = Target("raw_ops", raw_cases.calls(), check, kept(), examples=400)
