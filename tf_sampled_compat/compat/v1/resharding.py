"""Where the rows of a table are, under "div" and "mod", and how to bring them elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Optional, Union

import numpy as np

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.tables.table import rows_per_piece


class Cut(NamedTuple):
    """How the ids from 0 to `num_rows - 1` are cut into pieces, as TensorFlow's lookup presumes."""

    num_rows: int
    shards: int
    strategy: str

    @property
    def sizes(self) -> list[int]:
        """The rows of each piece."""
        return rows_per_piece(self.num_rows, self.shards)

    def ids(self, piece: int) -> np.ndarray:
        """Returns the ids whose rows a piece holds, in the order of its rows."""
        if self.strategy == "mod":
            return np.arange(piece, self.num_rows, self.shards)
        first = sum(self.sizes[:piece])
        return np.arange(first, first + self.sizes[piece])

    def rows(self, ids: np.ndarray, piece: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns which of `ids` a piece holds (as positions in `ids`), and their rows in it."""
        if self.strategy == "mod":
            held = np.flatnonzero(ids % self.shards == piece)
            return held, ids[held] // self.shards
        first = sum(self.sizes[:piece])
        held = np.flatnonzero((ids >= first) & (ids < first + self.sizes[piece]))
        return held, ids[held] - first


def reshard(
    pieces: Union[np.ndarray, Sequence[np.ndarray]],
    *,
    from_strategy: str,
    to_strategy: str,
    shards: Optional[int] = None,
    from_shards: Optional[int] = None,
) -> list[np.ndarray]:
    """Cuts a table another way, so that each class id finds the row it had.

    >>> mod = [np.array([[0], [3]]), np.array([[1]]), np.array([[2]])]  # row c of class c
    >>> [table] = tsc.compat.v1.reshard(mod, from_strategy="mod", to_strategy="div", shards=1)
    >>> table.ravel().tolist()
    [0, 1, 2, 3]
    >>> old = np.concatenate(mod)  # of a PartitionedVariable trained under "mod", TF 1's default
    >>> [table] = tsc.compat.v1.reshard(
    ...     old, from_strategy="mod", from_shards=3, to_strategy="div", shards=1)
    >>> table.ravel().tolist()
    [0, 1, 2, 3]

    Args:
      pieces: The `[rows, ...]` pieces in order; or one array, their concatenation, which is how a
        checkpoint holds a PartitionedVariable.
      from_strategy: The `partition_strategy` that `pieces` were trained with: "div" or "mod".
      to_strategy: The one that the result will be looked up with.
      shards: How many pieces to return; by default as many as there are.
      from_shards: How many pieces an array is the concatenation of: 1 by default. Of a list, its
        length.

    Returns:
      The new pieces, as new arrays: row c of the table is `pieces[c % n][c // n]` under "mod", and
      row c of their concatenation under "div".

    Raises:
      ValueError: If a strategy is unknown, or the pieces are not cut as TensorFlow cuts them (all
        of one size, the first ones at most one row longer) or do not fit one another.

    Source: `tf.nn.embedding_lookup` of TensorFlow 1.15.
    """
    source = _split(pieces, from_strategy, from_shards)
    num_rows = sum(len(piece) for piece in source)
    before = cut(num_rows, len(source), from_strategy, "from_strategy", "from_shards")
    count = len(source) if shards is None else shards
    after = cut(num_rows, count, to_strategy, "to_strategy", "shards")
    return [gather_piece(source, before, after.ids(p)) for p in range(count)]


def cut(num_rows: int, shards: int, strategy: str, named: str, counted: str) -> Cut:
    """Returns a `Cut`, checked; the last two are what its arguments are called."""
    if strategy not in checks.STRATEGIES:
        errors.fail(named, "'div' or 'mod'", repr(strategy))
    return Cut(num_rows, checks.known_size(counted, shards), strategy)


def gather_piece(source: Sequence[np.ndarray], before: Cut, ids: np.ndarray) -> np.ndarray:
    """Returns the rows of `ids` out of pieces cut as `before`."""
    result = np.empty((len(ids), *source[0].shape[1:]), source[0].dtype)
    for p, piece in enumerate(source):
        held, rows = before.rows(ids, p)
        result[held] = piece[rows]
    return result


def check_pieces(argument: str, shapes: Sequence[Sequence[int]], dtypes: Sequence) -> None:
    """Checks that pieces are parts of one table, of the sizes that a lookup presumes."""
    for what, values in (("rows of one shape", [tuple(s[1:]) for s in shapes]), ("dtype", dtypes)):
        if any(value != values[0] for value in values):
            errors.fail(argument, f"pieces of one {what}" if what == "dtype" else what, values)
    sizes = [shape[0] for shape in shapes]
    expected = rows_per_piece(sum(sizes), len(sizes))
    if sizes != expected:
        errors.fail(
            argument,
            f"{sum(sizes)} rows cut into pieces of {expected} rows, as TensorFlow's lookup "
            "presumes",
            f"pieces of {sizes} rows",
        )


def _split(pieces, strategy: str, from_shards: Optional[int]) -> list[np.ndarray]:
    if isinstance(pieces, (list, tuple)):
        if not pieces:
            errors.fail("pieces", "at least one piece", "an empty list")
        if from_shards not in (None, len(pieces)):
            errors.fail("from_shards", f"{len(pieces)}, as there are so many pieces", from_shards)
        arrays = [np.asarray(piece) for piece in pieces]
        if any(array.ndim < 1 for array in arrays):
            errors.fail("pieces", "arrays of shape [rows, ...]", [a.shape for a in arrays])
        check_pieces("pieces", [a.shape for a in arrays], [a.dtype for a in arrays])
        return arrays
    whole = np.asarray(pieces)
    if whole.ndim < 1:
        errors.fail("pieces", "an array of shape [rows, ...] or a list of them", repr(pieces))
    count = 1 if from_shards is None else from_shards
    sizes = cut(len(whole), count, strategy, "from_strategy", "from_shards").sizes
    return np.split(whole, np.cumsum(sizes)[:-1])
