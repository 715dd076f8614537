"""Runs the steps that take too long for CI, and writes a summary.

    python -m tests.nightly [--only STEP ...]

The steps' output goes to .nightly/. Its last lines, and whether each step passed, go to
tests/nightly/summary.md, which is committed. Exits with 1 if a step failed.
"""

import argparse
import datetime
import pathlib
import platform
import subprocess
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / ".nightly"
SUMMARY = pathlib.Path(__file__).with_name("summary.md")
# The maximum number of lines from a step's output: those after its last empty line.
MOST_LINES = 20


class Step(NamedTuple):
    """A command that passes if it exits with 0."""

    name: str
    command: tuple[str, ...]


class Outcome(NamedTuple):
    """The outcome of a step."""

    step: Step
    code: int
    minutes: float
    end: str


STEPS = (Step("matrix", ("make", "matrix")),)


def run(step, logs):
    """Runs a step with its output in its own file."""
    log = logs / f"{step.name}.log"
    start = datetime.datetime.now()
    with open(log, "w") as file:
        code = subprocess.run(
            step.command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
        ).returncode
    minutes = (datetime.datetime.now() - start).total_seconds() / 60
    return Outcome(step, code, minutes, last_lines(log.read_text()))


def last_lines(text):
    """Returns the last paragraph of a log, without this machine's paths."""
    paragraph = text.rstrip().split("\n\n")[-1].splitlines()[-MOST_LINES:]
    return "\n".join(paragraph).replace(str(ROOT), ".").replace(str(pathlib.Path.home()), "~")


def commit():
    """Returns the checked-out commit, marked if files differ from it."""
    command = ["git", "describe", "--always", "--dirty"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


def summary(outcomes):
    """Returns the page: a table of the steps, then the end of each one's log."""
    lines = [
        "# The last `make nightly`",
        "",
        f"Commit {commit()}, {datetime.date.today()}, Python {platform.python_version()}.",
        "Written by `python -m tests.nightly`; steps that were left out are not in the table.",
        "",
        "| step | command | outcome | minutes |",
        "|---|---|---|---|",
    ]
    for step, code, minutes, _ in outcomes:
        verdict = "passed" if code == 0 else f"FAILED (exit code {code})"
        lines.append(f"| {step.name} | `{' '.join(step.command)}` | {verdict} | {minutes:.0f} |")
    for step, _, _, end in outcomes:
        lines += ["", f"## {step.name}", "", "```", end, "```"]
    return "\n".join(lines) + "\n"


def main(arguments=None):
    """Runs the chosen steps one after another; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.nightly")
    parser.add_argument("--only", action="append", choices=[step.name for step in STEPS])
    chosen = parser.parse_args(arguments).only
    LOGS.mkdir(exist_ok=True)
    outcomes = []
    for step in STEPS:
        if not chosen or step.name in chosen:
            outcomes.append(run(step, LOGS))
            print(f"{step.name}: exit code {outcomes[-1].code}", flush=True)
    SUMMARY.write_text(summary(outcomes))
    return int(any(outcome.code for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
