"""How the tests are shared among the workers of `pytest -n`.

A worker gets whole files, so that it makes a module's fixtures once. The golden cases, half of all
tests, are cut into shares. Long files come first, so that no worker is left alone with one.
"""

import zlib

# A file's tests go to one worker, but for these, which are cut into so many shares.
SHARES = {"tests/golden/test_golden.py": 8}
# Files and folders by how long they take, the longest first.
LONGEST = (
    "tests/project/test_build.py",
    "tests/golden/test_golden.py",
    "tests/bench",
    "tests/examples",
    "tests/demo",
    "tests/nn/test_bad_input.py",
    "tests/keras",
    "tests/legacy",
    "tests/tables",
    "tests/samplers",
    "tests/nn",
)


def scheduler(config, log):
    """Returns what hands out the tests. (xdist 3.8's groups do not work with pytest 9.2.)"""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.split("::")[0]
            return f"{path} {zlib.crc32(nodeid.encode()) % SHARES.get(path, 1)}"

    return Scheduling(config, log)


def rank(item):
    """Says when a test's turn is: the lower, the sooner."""
    ranks = [rank for rank, start in enumerate(LONGEST) if item.nodeid.startswith(start)]
    return min(ranks, default=len(LONGEST))
