"""Counts the instructions of each kernel, by valgrind or by perf, whichever works here.

The work is custom_ops/kernels/tests/kernel_work_test.cc, built with each tree's own Makefile and
kernels. valgrind counts exactly but does not support AVX-512, so both count the AVX2 build.
"""

from __future__ import annotations

import functools
import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Optional

_SOURCE = pathlib.Path("custom_ops/kernels/tests/kernel_work_test.cc")
_VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
_PERF = ("perf", "stat", "-x,", "-e", "instructions:u")
# Two runs differ by this many repetitions, so the cost before the first repetition cancels.
_REPEATS = 2

Counter = Callable[[Sequence[str]], int]


def build(tree: pathlib.Path, source_tree: pathlib.Path) -> Optional[pathlib.Path]:
    """Builds the work of `source_tree` on the kernels of `tree`.

    Returns:
      The program, or None if it does not compile: the kernels' interfaces have changed.
    """
    if tree != source_tree:
        shutil.copy(source_tree / _SOURCE, tree / _SOURCE)
    level = "avx2" if "avx2" in pathlib.Path("/proc/cpuinfo").read_text() else "baseline"
    program = f"build/{level}/kernel_work_test"
    folder = tree / "custom_ops"
    done = subprocess.run(["make", "--quiet", "-C", str(folder), program], capture_output=True)
    return folder / program if done.returncode == 0 else None


def kernels(program: pathlib.Path) -> list[str]:
    """Returns the names of a program's kernels."""
    listed = subprocess.run([str(program), "list"], capture_output=True, text=True, check=True)
    return listed.stdout.split()


def count(program: pathlib.Path, kernel: str, counter: Counter) -> float:
    """Returns the number of instructions of one repetition of a kernel's work."""
    few, many = (counter([str(program), kernel, str(n)]) for n in (1, 1 + _REPEATS))
    return (many - few) / _REPEATS


@functools.cache
def counter() -> Optional[Counter]:
    """Returns the counter that works here, or None."""
    for candidate in (by_valgrind, by_perf):
        try:
            candidate(["true"])
        except (OSError, ValueError):
            continue
        return candidate
    return None


def by_valgrind(command: Sequence[str]) -> int:
    """Counts a program's instructions by callgrind."""
    return _number(r"Collected : (\d+)", [*_VALGRIND, *command])


def by_perf(command: Sequence[str]) -> int:
    """Counts a program's instructions by the CPU's own counter, in user space."""
    return _number(r"^(\d+),[^,]*,instructions", [*_PERF, *command])


def _number(pattern: str, command: Sequence[str]) -> int:
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(pattern, done.stderr, re.MULTILINE)
    if done.returncode or found is None:
        raise ValueError(f"{' '.join(command)} counted nothing: {done.stderr[-500:]}")
    return int(found.group(1))
