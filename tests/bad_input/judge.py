"""Compares the result of a case with its expectation."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.bad_input.case import Case, EqualsTensorFlow, LikeTensorFlow, Raises, Works

# Seconds: an error is raised before the work, so it is quick however large the numbers are.
AT_ONCE = 20.0
RTOL = 2e-5


def judge(case: Case, record: dict[str, Any]) -> None:
    """Asserts that the record of a case equals its expectation."""
    for side, outcome in record.items():
        assert "died" not in outcome, f"{side} killed its process: {outcome['died']}"
    ours, expect = record["ours"], case.expect
    assert ours["seconds"] < AT_ONCE, f"took {ours['seconds']:.0f} s"
    if isinstance(expect, Raises):
        for wanted in expect.classes:
            _is_instance(ours, wanted)
        _says(ours, expect.words)
    elif isinstance(expect, LikeTensorFlow):
        stock = record["stock"]
        assert "classes" in stock, "TensorFlow raises nothing here: the expectation is wrong"
        _is_instance(ours, stock["classes"][0])
        _says(ours, expect.words)
    elif isinstance(expect, EqualsTensorFlow):
        stock = record["stock"]
        assert "values" in stock, f"TensorFlow raises here: {stock['message']}"
        _equal(_values(ours), _values(stock))
    else:
        _works(_values(ours)[0], expect)


def essence(message: str) -> str:
    """Returns an error's own message, without a stack of source lines and names of nodes."""
    message = re.sub(r"\[\[.*?\]\]", "", message)
    message = re.sub(r"^in user code:.*\n    \w+: ", "", message, flags=re.DOTALL)  # AutoGraph's
    message = re.sub(r"^Graph execution error:\n\n", "", message)
    message = re.sub(r"^Detected at node .*?\n\n(?!  File)(?=\S)", "", message, flags=re.DOTALL)
    return re.sub(r"^Detected at node .*?\nNode: .*?\n", "", message, flags=re.DOTALL)


def _is_instance(outcome: dict[str, Any], wanted: str) -> None:
    assert "classes" in outcome, f"expected {wanted}, got the values {outcome['values'][0][:8]}"
    assert wanted in outcome["classes"], (
        f"expected {wanted}, got {outcome['classes'][0]}: {essence(outcome['message'])}"
    )


def _says(outcome: dict[str, Any], words: tuple[str, ...]) -> None:
    message = essence(outcome["message"])
    for pattern in words:
        assert re.search(pattern, message), f"{pattern!r} is not in the message: {message}"


def _values(outcome: dict[str, Any]) -> list[np.ndarray]:
    assert "values" in outcome, (
        f"expected values, got {outcome['classes'][0]}: {essence(outcome['message'])}"
    )
    pairs = zip(outcome["values"], outcome["shapes"])
    return [np.reshape(np.array(value, float), shape) for value, shape in pairs]


def _equal(got: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert [g.shape for g in got] == [e.shape for e in expected]
    for mine, theirs in zip(got, expected):
        finite = np.isfinite(theirs)
        np.testing.assert_array_equal(np.where(finite, 0, mine), np.where(finite, 0, theirs))
        largest = np.abs(theirs[finite]).max(initial=0.0)
        np.testing.assert_allclose(mine[finite], theirs[finite], rtol=0, atol=RTOL * largest)


def _works(loss: np.ndarray, expect: Works) -> None:
    assert loss.shape == expect.shape
    nan_rows = tuple(np.flatnonzero(np.isnan(loss)))
    assert nan_rows == expect.nan_rows, f"NaN in rows {nan_rows}, expected in {expect.nan_rows}"
    assert not np.isinf(loss).any()
