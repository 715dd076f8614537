"""The peak memory of a step, measured in a new process, which runs this file by `python -m`.

A process may keep memory that it once took, so its second figure would be too small.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pathlib
import subprocess
import sys
from typing import Any, Callable

from tf_sampled_compat.bench.timing import Contender

_STEPS = 3


def extra_mib(make: Callable[..., tuple[Contender, Contender]], **arguments: Any) -> float:
    """Returns the peak memory of a step in MiB, beyond what its process held before.

    Args:
      make: A function of a module. Returns a tiny step and the step to measure. The tiny one runs
        first, so that TensorFlow's own set-up does not count.
      **arguments: The function's arguments, of types that JSON has.

    Raises:
      RuntimeError: If the process fails.
    """
    job = {"module": make.__module__, "function": make.__qualname__, "arguments": arguments}
    process = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps(job)],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    if process.returncode:
        raise RuntimeError(f"measuring the memory of {arguments} failed:\n{process.stderr[-2000:]}")
    return json.loads(process.stdout.splitlines()[-1])["extra_mib"]


def main(job: dict[str, Any]) -> None:
    """Measures and prints the figure."""
    make = getattr(importlib.import_module(job["module"]), job["function"])
    tiny, real = make(**job["arguments"])
    for _ in range(_STEPS):
        tiny.run(*tiny.feed())
    arguments = real.feed()
    real.run.get_concrete_function(*arguments)
    _give_back_what_is_free()
    _forget_the_peak()
    before = _status("VmRSS")
    for _ in range(_STEPS):
        real.run(*arguments)
    print(json.dumps({"extra_mib": (_status("VmHWM") - before) / 2**20}))


def _give_back_what_is_free() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def _forget_the_peak() -> None:
    """Resets VmHWM. Where that is forbidden, the peak may be that of making the tables."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        print("VmHWM cannot be reset", file=sys.stderr)


def _status(key: str) -> int:
    """Returns a figure of /proc/self/status, in bytes."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
