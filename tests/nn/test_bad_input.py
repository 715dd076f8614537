"""Bad input: TensorFlow's errors where it raises, ours where it is silently wrong or hangs.

Each case and mode is one test. A worker process recorded its outcome under a time limit. The cases
are in `bad_input/rows_*.py`, by the rows of the table in `bad_input/facts.py`.
"""

import concurrent.futures
import os

import pytest

from tests.bad_input import modes, processes, table
from tests.bad_input.judge import judge

# The calls run in other processes.
pytestmark = pytest.mark.no_op_seeds

ITEMS = [
    (name, mode)
    for mode in modes.MODES
    for name, case in table.CASES.items()
    if case.modes is None or mode in case.modes
]


@pytest.fixture(scope="session")
def records(request):
    """Runs the selected cases: a process for each mode, as many in parallel as cores."""
    selected = {mode: [] for mode in modes.MODES}
    for item in request.session.items:
        if getattr(item, "function", None) is test_bad_input:
            selected[item.callspec.params["mode"]].append(item.callspec.params["name"])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {
            mode: pool.submit(processes.run_all, mode, names)
            for mode, names in selected.items()
            if names
        }
        return {mode: run.result() for mode, run in runs.items()}


@pytest.mark.parametrize("name, mode", ITEMS)
def test_bad_input(records, name, mode):
    judge(table.CASES[name], records[mode][name])
