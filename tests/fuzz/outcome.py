"""What a call came to: values, or an error in the words that every mode must share."""

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
import tensorflow as tf

# What a caller may see. Any other exception of a call is a find.
ALLOWED = (
    ValueError, TypeError, RuntimeError, tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError, tf.errors.ResourceExhaustedError,
)  # fmt: skip


class Outcome(NamedTuple):
    """Values, or an error's words."""

    values: Optional[list[np.ndarray]] = None
    words: Optional[str] = None
    is_argument_error: bool = False


def outcome(call: Callable[[], Any]) -> Outcome:
    """Calls, and returns the values or the words of an error that a caller may see."""
    try:
        return Outcome(values=[np.asarray(value) for value in tf.nest.flatten(call())])
    except ALLOWED as error:
        return Outcome(words=essence(error), is_argument_error=is_ours(error))


def is_ours(error: BaseException) -> bool:
    """Whether an error names an argument, as the package's own do."""
    return bool(re.search(r"\w[\w, :=]*: expected ", str(error)))


def essence(error: BaseException) -> str:
    """Returns an error's own words, without nodes, stacks and source lines."""
    text = getattr(error, "message", None) or str(error)
    text = re.sub(r"(?s)^in user code:.*\n    \w+: ", "", text)
    text = re.sub(r"\[\[.*?\]\].*|\[Op:.*", "", text)
    text = text.strip().rpartition("\n\n")[2]
    # The op of an assertion puts its data into brackets.
    text = re.sub(r"^assertion failed: \[(.*), got\] \[(.*)\]", r"\1, got \2", text)
    words, got, value = " ".join(text.split()).partition(", got ")
    value = re.sub(r" \(.*\)$", "", value)  # TensorFlow's reason, which each mode words its way.
    return words + got + re.sub(r"-?\d+(\.\d+)?(e[-+]?\d+)?", _short, value)


def same_words(outcomes: dict[str, Outcome], many: bool = False) -> Optional[str]:
    """Returns the words that all outcomes share, or None if all are values.

    Of many bad numbers of an argument, each way may name another.
    """
    words = {mode: each.words for mode, each in outcomes.items()}
    if many:
        words = {mode: text and text.partition(", got ")[0] for mode, text in words.items()}
    assert len(set(words.values())) == 1, f"not the same words: {words}"
    return next(iter(words.values()))


def _short(number: re.Match) -> str:
    """Python and C++ print a number with different digits."""
    return f"{float(number[0]):.6g}"
