"""Checks of counts: `num_sampled`, `num_classes`, `k`."""

from __future__ import annotations

import numbers
from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.scalars import (
    UNKNOWN,
    described,
    value_of,
    whole_number,
)


def size_attribute(argument: str, value: Any) -> Optional[int]:
    """Checks a count that must be at least 1; returns it, or None where it is a dynamic tensor.

    A whole number of any type passes, as in TensorFlow: `3.0`, `np.array(3)`.
    """
    known = value_of(value)
    if known is UNKNOWN:
        return None
    size = whole_number(argument, known)
    if size < 1:
        errors.fail(argument, "at least 1 (TensorFlow: must be at least minimum 1)", size)
    return size


def known_size(argument: str, value: Any) -> int:
    """Checks a count that must be at least 1, and known while the call is traced."""
    size = size_attribute(argument, value)
    if size is None:
        expected = "an integer that is known while the call is traced"
        errors.fail(argument, expected, described(value), errors.ArgumentTypeError)
    return size


def known_integer(argument: str, value: Any) -> int:
    """Checks a whole number that is known while the call is traced, and returns it."""
    known = value_of(value)
    if known is UNKNOWN:
        expected = "an integer that is known while the call is traced"
        errors.fail(argument, expected, described(value), errors.ArgumentTypeError)
    return whole_number(argument, known)


def integer(argument: str, value: Any) -> None:
    """Checks a Python or NumPy integer."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        errors.fail(argument, "an integer or None", described(value), errors.ArgumentTypeError)
    whole_number(argument, value)


def at_most(argument: str, value: Any, limit: Any) -> None:
    """Checks an integer against a limit, where both are known."""
    if isinstance(value, int) and isinstance(limit, int) and value > limit:
        errors.fail(argument, f"at most {limit}, the number of classes", value)


def as_array(value: Any) -> Optional[np.ndarray]:
    """Returns the numbers of an array, list or tensor; None if it has none, or only a graph has."""
    if isinstance(value, tf.Tensor):
        value = tf.get_static_value(value)
        return np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else None
    try:
        return np.asarray(value)
    except (TypeError, ValueError):  # Rows of different lengths.
        return None


def whole_counts(argument: str, value: Any, size: int) -> np.ndarray:
    """Checks `[size]` whole numbers that are not negative, and returns them as int64."""
    known = as_array(value)
    expected = f"a [{size}] array of whole numbers that are not negative"
    if known is None or known.dtype.kind not in "iuf" or known.shape != (size,):
        got = described(value) if known is None else f"{known.dtype} {known.shape}"
        errors.fail(argument, expected, got)
    good = (known >= 0) & (known < 2**53) & (known == np.floor(known))
    if not good.all():
        errors.fail(argument, expected, known[~good][0])
    return known.astype(np.int64)
