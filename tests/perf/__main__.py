"""`make perf`, or `python -m tests.perf [--base COMMIT]`: is this tree slower than that commit?"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, Optional

from tests.perf import checkout, instructions, report, verdict
from tests.perf.checkout import HERE, CheckoutError
from tests.perf.client import Worker, WorkerError, build_counter
from tests.perf.verdict import Row
from tests.perf.worker import STEPS
from tf_sampled_compat.cli import console, exit_codes
from tf_sampled_compat.cli.options import positive

_RUNS = 9  # Steps; the median of their bytes counts.


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the options."""
    options = argparse.ArgumentParser(prog="python -m tests.perf", description=__doc__)
    options.add_argument(
        "--base", default="", metavar="COMMIT", help="commit, tag or branch (default: the last tag)"
    )
    options.add_argument(
        "--quick", action="store_true", help="tiny steps, and too few launches to judge times"
    )
    options.add_argument(
        "--launches", type=positive, metavar="N", help="pairs of processes (default: 6)"
    )
    options.add_argument(
        "--turns", type=positive, metavar="N", help="turns of each in a pair (default: 20)"
    )
    options.add_argument(
        "--steps", nargs="+", choices=STEPS, default=STEPS, help="steps to compare (default: all)"
    )
    return options


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Compares.

    Args:
      arguments: The options; default: those of this process.

    Returns:
      0; 1 if this tree is slower, or a tree cannot be built or measured.
    """
    chosen = parser().parse_args(arguments)
    screen = console.make()
    try:
        base = checkout.base(chosen.base)
        console.show(screen, f"base: {base.commit[:12]}, {base.chosen}")
        with checkout.worktree(base.commit) as tree:
            for each in (tree, HERE):
                checkout.build(each)
            rows = list(_rows(tree, chosen))
    except (CheckoutError, WorkerError) as error:
        print(error, file=sys.stderr)
        return exit_codes.FAILED
    console.show(screen, report.table(rows), report.summary(rows))
    return exit_codes.FAILED if any(row.fails for row in rows) else exit_codes.OK


def _rows(tree: pathlib.Path, chosen: argparse.Namespace) -> Iterator[Row]:
    size = "quick" if chosen.quick else "full"
    yield from _counts(tree, size, chosen.steps)
    yield from _instructions(tree)
    launches = chosen.launches or (2 if chosen.quick else 6)
    turns = chosen.turns or (3 if chosen.quick else 20)
    yield from _times(tree, size, chosen.steps, launches=launches, turns=turns)


def _counts(tree: pathlib.Path, size: str, steps: Sequence[str]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        counter = build_counter(pathlib.Path(folder))
        if counter is None:
            print("bytes are not counted: allocations.c needs a C compiler and glibc")
        base, here = (stack.enter_context(Worker(t, size, counter=counter)) for t in (tree, HERE))
        for step in steps:
            ops = _of_base(base, "ops", step)
            yield verdict.counted(step, "ops", ops, here.ask("ops", step))
            if counter is not None:
                before = _of_base(base, "bytes", step, _RUNS) or {}
                for quantity, bytes_here in here.ask("bytes", step, _RUNS).items():
                    yield verdict.counted(step, quantity, before.get(quantity), bytes_here)


def _of_base(base: Worker, *request: Any) -> Any:
    """Asks the base, which may lack a feature of this tree."""
    try:
        return base.ask(*request)
    except WorkerError:
        return None


def _instructions(tree: pathlib.Path) -> Iterator[Row]:
    counter = instructions.counter()
    if counter is None:
        print("instructions are not counted: neither valgrind nor perf works here")
        return
    here, base = instructions.build(HERE, HERE), instructions.build(tree, HERE)
    if here is None:
        raise CheckoutError("custom_ops/kernels/tests/kernel_work_test.cc does not compile")
    for kernel in instructions.kernels(here):
        before = base and instructions.count(base, kernel, counter)
        after = instructions.count(here, kernel, counter)
        yield verdict.counted(f"{kernel} kernel", "instructions", before, after)


def _times(
    tree: pathlib.Path, size: str, steps: Sequence[str], *, launches: int, turns: int
) -> Iterator[Row]:
    """Times the steps of both trees in turns, in a few pairs of processes."""
    times: dict[str, tuple[list[list[float]], list[list[float]]]] = {}
    for _ in range(launches):
        with Worker(tree, size) as base, Worker(HERE, size) as here:
            for step in steps:
                if _of_base(base, "seconds", step) is None:
                    continue
                pairs = list(_turns(base, here, step, turns))
                for mine, each in zip(times.setdefault(step, ([], [])), zip(*pairs)):
                    mine.append(list(each))
    for step, (of_base, of_here) in times.items():
        yield verdict.timed(step, of_base, of_here)


def _turns(base: Worker, here: Worker, step: str, turns: int) -> Iterator[tuple[float, float]]:
    """Yields the times of base and tree in each turn: A B, B A, A B, ..."""
    runs = 5
    here.ask("seconds", step)  # Makes the step, as `base` already has.
    for turn in range(turns):
        order = (base, here) if turn % 2 == 0 else (here, base)
        times = {id(worker): worker.ask("seconds", step, runs) for worker in order}
        yield times[id(base)], times[id(here)]


if __name__ == "__main__":
    sys.exit(main())
