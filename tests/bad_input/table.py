"""The table: every case by its name."""

from __future__ import annotations

from tests.bad_input import (
    rows_calls,
    rows_in_batch,
    rows_labels,
    rows_sampled_values,
    rows_samplers,
    rows_sizes,
    rows_tables,
)
from tests.bad_input.case import Case, EqualsTensorFlow, LikeTensorFlow

_MODULES = (
    rows_labels,
    rows_sampled_values,
    rows_sizes,
    rows_tables,
    rows_samplers,
    rows_calls,
    rows_in_batch,
)


def asks_tensorflow(case: Case) -> bool:
    """Whether the case calls TensorFlow for its expectation."""
    return isinstance(case.expect, (LikeTensorFlow, EqualsTensorFlow))


def _by_name() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for module in _MODULES:
        for case in module.CASES:
            assert case.name not in cases, f"two cases are named {case.name}"
            cases[case.name] = case
    return cases


CASES = _by_name()
