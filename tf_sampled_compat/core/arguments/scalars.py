"""Checks of single values that are no tensors: flags, seeds, names, numbers."""

from __future__ import annotations

import numbers
from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import errors

# The bounds of an int64, which every attribute and every id of TensorFlow is.
LEAST, MOST = -(2**63), 2**63 - 1
# TensorFlow's kernels see an operation seed modulo this number.
_SEEDS = 2**31 - 1


class _Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "a tensor that only the running graph knows"


# Stands for a value that is not known while the call is traced.
UNKNOWN = _Unknown()


def value_of(value: Any) -> Any:
    """Returns the Python value of a scalar: a tensor's or variable's too, if it is known.

    What is no scalar is returned as it is.
    """
    if isinstance(value, tf.Variable):
        value = value.numpy() if tf.executing_eagerly() else UNKNOWN
    elif isinstance(value, tf.Tensor):
        known = tf.get_static_value(value)
        value = UNKNOWN if known is None else known
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        value = value.item()
    return value


def whole_number(argument: str, value: Any, expected: str = "an integer") -> int:
    """Returns a whole number of any type, such as `3.0` or `np.array(3)`, that fits into an int64.

    `value` is what `value_of` has returned.
    """
    whole = isinstance(value, numbers.Integral) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, (bool, np.bool_)) or not whole:
        errors.fail(argument, expected, described(value), errors.ArgumentTypeError)
    number = int(value)
    if not LEAST <= number <= MOST:
        errors.fail(argument, f"{expected} of at most 64 bits", value)
    return number


def flag(argument: str, value: Any) -> bool:
    """Returns a boolean that may come as a bool of any type, or as 0 or 1.

    TensorFlow's functions read it in an `if`. A tensor that only the running graph knows is an
    error there too, and other values would count as True: the string "False", for example.
    """
    known = value_of(value)
    if known is UNKNOWN:
        errors.fail(
            argument,
            "True or False, known while the call is traced",
            described(value),
            errors.ArgumentTypeError,
        )
    if isinstance(known, numbers.Real) and known in (0, 1):
        return bool(known)
    errors.fail(argument, "True or False", described(value), errors.ArgumentTypeError)


def op_seed(value: Any, argument: str = "seed") -> Optional[int]:
    """Returns an operation seed: None, or an integer, which always fits into an int64.

    TensorFlow takes an integer of any size, and then its remainder.
    """
    if value is None:
        return None
    known = value_of(value)
    if isinstance(known, numbers.Integral) and not isinstance(known, bool):
        seed = int(known)
        return seed if LEAST <= seed <= MOST else seed % _SEEDS
    return whole_number(argument, known, "an integer or None")


def name(value: Any, argument: str = "name") -> None:
    """Checks the name of an operation."""
    if value is not None and not isinstance(value, str):
        errors.fail(argument, "a string or None", described(value), errors.ArgumentTypeError)


def number(argument: str, value: Any) -> float:
    """Returns a number that is known while the call is traced."""
    known = value_of(value)
    if isinstance(known, (bool, np.bool_)) or not isinstance(known, numbers.Real):
        errors.fail(argument, "a number", described(value), errors.ArgumentTypeError)
    try:
        return float(known)
    except OverflowError:
        errors.fail(argument, "a number that a float64 can hold", known)


def described(value: Any) -> str:
    """Returns a value's text for a message, cut to one short line."""
    if isinstance(value, (list, tuple, dict, set)) and len(value) > 50:
        return f"a {type(value).__name__} of {len(value)} items"
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}…"
