"""How the tests are shared among the workers of `pytest -n`.

A worker gets whole files, so that it makes a module's fixtures once. The golden cases, half of all
tests, are cut into shares. Long files come first, so that no worker is left alone with one.
"""

import pathlib

import pytest

HERE = pathlib.Path(__file__).resolve().parent
# A file's tests go to one worker, but for these: so many tests at a time.
SHARE = {"golden/test_golden.py": 350}
# Files and folders by how long they take, the longest first.
LONGEST = (
    "project/test_build.py",
    "golden/test_golden.py",
    "bench",
    "demo",
    "nn/test_bad_input.py",
    "keras",
    "legacy",
    "tables",
    "samplers",
    "nn",
)


def arrange(items):
    """Orders the tests, and names for each the group that one worker gets."""
    counts = {}
    for item in items:
        path = item.path.relative_to(HERE).as_posix()
        number = counts[path] = counts.get(path, -1) + 1
        share = number // SHARE.get(path, len(items))
        item.add_marker(pytest.mark.xdist_group(f"{path}-{share}"))
    items.sort(key=_rank)


def _rank(item):
    path = item.path.relative_to(HERE).as_posix()
    ranks = [rank for rank, start in enumerate(LONGEST) if path.startswith(start)]
    return min(ranks, default=len(LONGEST))
