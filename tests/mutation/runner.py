"""Tries the mutants one after another; run by `python -m tests.mutation`, in the copied tree."""

import argparse
import collections
import importlib.util
import itertools
import pathlib
import sys
import time

from tests.mutation import forked, mutants, survivors, watched

TREE = pathlib.Path(__file__).resolve().parents[2]
# How long a mutant may take, in times of what the tests take without one. A mutant that takes
# longer is taken for one that never ends, which is noticed.
TIMES, AT_LEAST = 5, 60


def baseline(tests, home, known):
    """Returns the seconds that some tests take on the unchanged code.

    Raises:
      SystemExit: If they do not pass.
    """
    for test in tests:
        if test not in known:
            result = forked.run_tests([test], home / "baseline.log", 1800)
            if result.verdict != "passed":
                print(result.output[-3000:])
                raise SystemExit(f"without a mutant, {test}: {result.verdict}")
            known[test] = result.seconds
    return sum(known[test] for test in tests)


def tried(mutant, tests, limit, home):
    """Writes a mutant into the tree, runs its tests, and puts the file back."""
    path = TREE / mutant.file
    source = path.read_text()
    try:
        path.write_text(mutant.code)
        return forked.run_tests(tests, home / "mutant.log", limit)
    finally:
        path.write_text(source)


def report(results, left, reasons):
    """Prints what was found; returns the survivors that nothing explains."""
    survived = [mutant for mutant, verdict in results if verdict in ("passed", "no tests")]
    unexplained = [mutant for mutant in survived if mutant.name not in reasons]
    if unexplained:
        print("\nSurvived, and tests/mutation/survivors.txt does not explain it:")
        print("".join(f"\n{mutant.name}\n" for mutant in unexplained))
    counts = collections.Counter(verdict for _, verdict in results)
    noticed = len(results) - len(survived)
    print(f"\n{len(results)} mutants, {noticed} noticed ({counts['too long']} by never ending)")
    print(f"{len(survived)} survived, {len(survived) - len(unexplained)} of them explained")
    print(f"{left} not tried, because the time was up")
    return unexplained


def main():
    """Returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("home", type=pathlib.Path)
    parser.add_argument("files", nargs="*")
    chosen = parser.parse_args()
    origin = importlib.util.find_spec("tf_sampled_compat").origin
    if TREE not in pathlib.Path(origin).parents:
        raise SystemExit(f"expected the package of {TREE}, got {origin}")
    files, reasons, known, results, left = chosen.files, survivors.explained(), {}, [], 0
    end = time.monotonic() + 60 * chosen.minutes
    forked.prepare()
    samples = [mutants.sample(f, (TREE / f).read_text(), chosen.each, chosen.seed) for f in files]
    # One of each file, then the next of each: if the time is up, all files had their turn.
    turns = [each for turn in itertools.zip_longest(*samples) for each in turn if each]
    with open(chosen.home / "results.txt", "a") as kept:
        for number, mutant in enumerate(turns):
            if time.monotonic() > end:
                left = len(turns) - number
                break
            tests = watched.tests_of(mutant.file)
            limit = max(AT_LEAST, TIMES * baseline(tests, chosen.home, known))
            verdict, seconds, _ = tried(mutant, tests, limit, chosen.home)
            results.append((mutant, verdict))
            print(f"{verdict}\n{mutant.name}\n", file=kept, flush=True)
            print(f"{verdict:9} {seconds:4.0f} s  {mutant.file}: {mutant.function}", flush=True)
    return int(bool(report(results, left, reasons)))


if __name__ == "__main__":
    sys.exit(main())
