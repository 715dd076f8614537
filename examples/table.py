"""Runs the five programs one after another, and prints the table of docs/examples.md."""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

PROGRAMS = (
    "two_towers",
    "sequence_recommender",
    "word2vec",
    "language_model",
    "extreme_multilabel",
)


def run(program, options):
    """Runs a program from its start, and returns its rows, and its seconds: real, of processors."""
    path = pathlib.Path(__file__).with_name(f"{program}.py")
    with tempfile.TemporaryDirectory() as folder:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        code = subprocess.call([sys.executable, path, "--folder", folder, *options])
        real, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if not (pathlib.Path(folder) / "figures.json").exists():
            raise SystemExit(f"{program} has failed, with {code}")
        rows = json.loads((pathlib.Path(folder) / "figures.json").read_text())
    busy = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return rows, real, busy


def lines(program, rows):
    """Returns a line of the table for each row; what is better is bold."""
    made = []
    for k, (figure, ours, baseline, name, better) in enumerate(rows):
        first = f"`{program}.py`" if k == 0 else ""
        good = {"higher": ours > baseline, "lower": ours < baseline, None: ours >= baseline}[better]
        parts = [f"{ours:.3g}", f"{baseline:.3g}"]
        parts[not good] = f"**{parts[not good]}**"
        shown = "" if better else ", shown only"
        made.append(f"| {first} | {figure} | {' | '.join(parts)} | {name}{shown} |")
    return made


def main(arguments=None):
    """Runs the programs and prints their rows, then their times."""
    parser = argparse.ArgumentParser(prog="python examples/table.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="use little data, as CI does")
    parser.add_argument("--seed", default="1", help="of weights, order and draws (1)")
    chosen = parser.parse_args(arguments)
    options = ["--seed", chosen.seed, *(["--quick"] if chosen.quick else [])]
    table, times = [], []
    for program in PROGRAMS:
        rows, real, busy = run(program, options)
        table += lines(program, rows)
        times.append(f"| `{program}.py` | {real:.0f} s | {busy:.0f} s |")
    print(
        "\n| program | held-out figure | model | baseline | the baseline |\n|---|---|---|---|---|"
    )
    print("\n".join(table))
    print("\n| program | real time | time of processors |\n|---|---|---|")
    print("\n".join(times))


if __name__ == "__main__":
    sys.exit(main())
