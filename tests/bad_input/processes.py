"""Runs cases in worker processes under a time limit, and finds the case of a crash or a hang."""

from __future__ import annotations

import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
from typing import Any, Optional

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Seconds without output from a worker: TensorFlow's import and one case on a busy machine.
LIMIT = 60.0


def run_all(mode: str, names: list[str], limit: float = LIMIT) -> dict[str, dict[str, Any]]:
    """Returns for each case the outcomes of our call and TensorFlow's: `{"ours": …, "stock": …}`.

    A call that ends its process has the outcome `{"died": how}`. Another worker then runs the cases
    after it.
    """
    records: dict[str, dict[str, Any]] = {}
    waiting = list(names)
    while waiting:
        finished, current, how = _run_some(mode, waiting, limit)
        for (name, side), outcome in finished.items():
            records.setdefault(name, {})[side] = outcome
        if how is not None:
            name, side = current or (waiting[0], "ours")
            records.setdefault(name, {}).setdefault(side, {"died": how})
        waiting = [name for name in waiting if name not in records]
    return records


def _run_some(mode: str, names: list[str], limit: float):
    """Runs one worker. Returns the outcomes, its last call, and how it died, if it did."""
    environment = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
    with tempfile.TemporaryFile("w+") as errors:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.bad_input.worker", mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        lines: queue.Queue[Optional[str]] = queue.Queue()
        threading.Thread(target=_read, args=(worker.stdout, lines), daemon=True).start()
        worker.stdin.write(json.dumps(names))
        worker.stdin.close()
        outcomes, current, late = _listen(lines, limit)
        if late:
            worker.kill()
        code = worker.wait()
        if late:
            return outcomes, current, f"nothing for {limit:.0f} s: it hangs"
        if code:
            errors.seek(0)
            return outcomes, current, f"the process ended with {code}: {errors.read()[-2000:]}"
        return outcomes, None, None


def _listen(lines: queue.Queue, limit: float):
    outcomes: dict[tuple[str, str], dict[str, Any]] = {}
    current = None
    while True:
        try:
            line = lines.get(timeout=limit)
        except queue.Empty:
            return outcomes, current, True
        if line is None:
            return outcomes, current, False
        record = json.loads(line)
        if "begin" in record:
            current = record["begin"]
        else:
            outcomes[tuple(record["end"])] = record["outcome"]


def _read(stream: Any, lines: queue.Queue) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)
