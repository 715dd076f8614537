"""Looks for NaN and infinity in all inputs, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

import numpy as np
import tensorflow as tf

# Numbers that are looked at between two questions for the time: 16 MiB of float32.
MOST_NUMBERS = 2**22


class Seen(NamedTuple):
    """What was seen of one input.

    Attributes:
      numbers: The numbers that were looked at.
      bad: Those of them that are NaN or infinite.
      first: The first row with such a number.
    """

    numbers: int = 0
    bad: int = 0
    first: Optional[int] = None


class Inputs:
    """Counts the numbers of inputs that are not finite, batch by batch.

    Attributes:
      rows: The rows that were looked at.
      of: All rows, if their number is known.
      seen: What was seen of each input, in the order of the flattened inputs.
    """

    def __init__(self, of: Optional[int] = None):
        self.rows, self.of = 0, of
        self.seen: list[Seen] = []

    def add(self, x: Any) -> None:
        """Looks at the next rows: an array, or a structure of arrays."""
        parts = tf.nest.flatten(x)
        before = self.seen or [Seen()] * len(parts)
        self.seen = [self._with(seen, part) for seen, part in zip(before, parts)]
        self.rows += len_of(parts[0])

    def _with(self, seen: Seen, part: Any) -> Seen:
        values = np.asarray(getattr(part, "flat_values", getattr(part, "values", part)))
        if values.dtype.kind not in "fV":  # "V": bfloat16 and its like.
            return seen
        finite = np.isfinite(values)
        bad = int(values.size - np.count_nonzero(finite))
        first = seen.first
        if bad and first is None:
            first = self.rows + _first_row(part, finite)
        return Seen(seen.numbers + int(values.size), seen.bad + bad, first)

    def said(self) -> str:
        """Returns which rows were looked at, in words."""
        if self.of is None or self.of == self.rows:
            return f"{self.rows} rows"
        return f"the first {self.rows} of {self.of} rows"


def pieces(x: Any) -> Iterator[Any]:
    """Cuts an array, or a structure of arrays, into pieces of some rows each."""
    parts = tf.nest.flatten(x)
    rows = len_of(parts[0])
    width = max(sum(_width(part) for part in parts), 1)
    step = max(MOST_NUMBERS // width, 1)
    if any(isinstance(part, tf.SparseTensor) for part in parts):
        step = max(rows, 1)  # It cannot be cut cheaply.
    for start in range(0, rows, step):
        cut = [_cut(part, start, min(start + step, rows)) for part in parts]
        yield tf.nest.pack_sequence_as(x, cut)


def len_of(part: Any) -> int:
    """Returns the number of rows of an array."""
    shape = part.shape if hasattr(part, "shape") else np.shape(part)
    return int(shape[0])


def _width(part: Any) -> int:
    if isinstance(part, tf.RaggedTensor):
        return int(tf.size(part.flat_values)) // max(len_of(part), 1)
    shape = part.shape if hasattr(part, "shape") else np.shape(part)
    return int(np.prod([size or 1 for size in shape[1:]], dtype=np.int64))


def _cut(part: Any, start: int, stop: int) -> Any:
    if isinstance(part, tf.SparseTensor):
        return part
    return part.iloc[start:stop].to_numpy() if hasattr(part, "iloc") else part[start:stop]


def _first_row(part: Any, finite: np.ndarray) -> int:
    """Returns the first row with a number that is not finite."""
    place = int(np.argmin(finite.reshape(-1)))
    if isinstance(part, tf.RaggedTensor):
        inner = int(np.prod(part.flat_values.shape[1:]))
        place //= max(inner, 1)
        for splits in reversed(part.nested_row_splits):
            place = int(np.searchsorted(splits.numpy(), place, side="right")) - 1
        return place
    if isinstance(part, tf.SparseTensor):
        return int(part.indices[place][0])
    return place // max(int(np.prod(finite.shape[1:])), 1)
