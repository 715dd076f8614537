"""Arrays of the fuzzers: random numbers, some of which are replaced by odd ones."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

NOT_FINITE = (float("nan"), float("inf"), float("-inf"))
# Nothing between: what is so far below the rest of a gradient may be lost.
ODD_NUMBERS = (*NOT_FINITE, 0.0, -0.0, 1e-6, 1e-45, 1e4, -1e4, 1e30)
ODD_COUNTS = (*NOT_FINITE, 0.0, -1.0, 1e-30, 1e30, 1e-45)


class Odd(NamedTuple):
    """An entry of an array that is replaced."""

    array: str
    place: int
    value: Any


def odd_entries(pools: dict[str, tuple], most: int = 2) -> st.SearchStrategy:
    """Draws entries, each of an array with a value from its pool."""
    one = st.sampled_from(sorted(pools)).flatmap(
        lambda name: st.builds(Odd, st.just(name), st.integers(0, 40), st.sampled_from(pools[name]))
    )
    return st.lists(one, max_size=most).map(tuple)


def replaced(arrays: dict[str, np.ndarray], odd: tuple[Odd, ...]) -> dict[str, np.ndarray]:
    """Returns the arrays with the odd entries; an array without elements stays as it is."""
    result = {name: np.array(array) for name, array in arrays.items()}
    for array, place, value in odd:
        flat = result[array].reshape(-1)
        if len(flat):
            with np.errstate(over="ignore"):
                flat[place % len(flat)] = value
    return result


def rounded(array: np.ndarray, dtype: str) -> np.ndarray:
    """Rounds to a dtype, and returns float64."""
    with np.errstate(over="ignore"):
        return tf.cast(tf.cast(array, dtype), tf.float64).numpy()
