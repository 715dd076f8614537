"""A short run of the fuzzer, always the same, with all earlier finds.

`python -m tests.fuzz --seconds N` is the long one.
"""

import pytest

from tests.fuzz import raw_ops, target
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.no_op_seeds


@pytest.fixture(scope="module", autouse=True)
def _no_worker_stays():
    yield
    raw_ops.stop()


@pytest.mark.parametrize("each", TARGETS, ids=lambda each: each.name)
def test_no_input_is_a_find(each):
    target.run(each, each.examples)
