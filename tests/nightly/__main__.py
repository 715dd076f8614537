"""Runs the steps that take too long for CI, and writes a summary.

    python -m tests.nightly [--only STEP ...]

The steps' output goes to .nightly/. Its last lines, and whether each step passed, go to
tests/nightly/summary.md, which is committed. A step that runs alone replaces only its own lines
there. A step that takes too long is ended. Exits with 1 if a step failed.
"""

import argparse
import datetime
import os
import pathlib
import platform
import signal
import subprocess
import sys
from typing import NamedTuple

from tests.nightly import page

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / ".nightly"
SUMMARY = pathlib.Path(__file__).with_name("summary.md")
# The maximum number of lines from a step's output: those after its last empty line.
MOST_LINES = 20


class Step(NamedTuple):
    """A command that passes if it exits with 0 within so many minutes."""

    name: str
    command: tuple[str, ...]
    minutes: float


# The limits are several times what the steps take on two cores: they end a step that hangs.
STEPS = (
    Step("supply", ("make", "wheel-twice"), 60),
    Step("matrix", ("make", "matrix"), 240),
    Step("mutation", ("make", "mutation"), 240),
    Step("sanitize", ("make", "sanitize"), 180),
    Step("fuzz", ("make", "fuzz", "FUZZ_SECONDS=1800"), 180),
    Step("abuse", ("make", "abuse"), 180),
    Step("clusters", ("make", "clusters"), 60),
)


def run(step, logs):
    """Runs a step with its output in its own file; returns its exit code or None, and minutes."""
    start = datetime.datetime.now()
    with open(logs / f"{step.name}.log", "w") as file:
        # In a session of its own, so that all that it starts ends with it.
        options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": ROOT}
        process = subprocess.Popen(step.command, stdout=file, start_new_session=True, **options)
        try:
            code = process.wait(timeout=60 * step.minutes)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end(process)
    return code, (datetime.datetime.now() - start).total_seconds() / 60


def end(process):
    """Ends a step and what it started and left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def last_lines(text):
    """Returns the last paragraph of a log, without this machine's paths."""
    paragraph = text.rstrip().split("\n\n")[-1].splitlines()[-MOST_LINES:]
    shown = "\n".join(paragraph).replace(str(ROOT), ".").replace(str(pathlib.Path.home()), "~")
    return shown.replace("```", "'''")


def commit():
    """Returns the checked-out commit, marked if files other than the summary differ from it."""

    def git(*arguments):
        result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return result.stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", ".", f":(exclude){SUMMARY}"
    )
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changed else "")


def outcome(step, code, minutes, log):
    """Returns a step's part of the page."""
    verdict = "passed" if code == 0 else f"FAILED (exit code {code})"
    if code is None:
        verdict = f"FAILED (ended after {step.minutes:g} minutes)"
    return page.Outcome(
        step.name,
        " ".join(step.command),
        verdict,
        f"{minutes:.0f}",
        str(datetime.date.today()),
        commit(),
        platform.python_version(),
        last_lines(log.read_text(errors="replace")),
    )


def main(arguments=None):
    """Runs the chosen steps one after another; returns the exit code."""
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(prog="python -m tests.nightly")
    parser.add_argument("--only", action="append", choices=names)
    chosen = parser.parse_args(arguments).only
    LOGS.mkdir(exist_ok=True)
    failed = False
    for step in STEPS:
        if not chosen or step.name in chosen:
            code, minutes = run(step, LOGS)
            print(f"{step.name}: {'too long' if code is None else f'exit code {code}'}", flush=True)
            failed = failed or code != 0
            # At once, so that it is kept whatever becomes of the next step.
            page.update(SUMMARY, names, outcome(step, code, minutes, LOGS / f"{step.name}.log"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
