"""Cuts a table in memory another way, from and to pieces under "div" or "mod"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.tables.table import check_piece_sizes, rows_per_piece


class Partition(NamedTuple):
    """A division of the ids from 0 to `num_rows - 1` into pieces, as TensorFlow's lookup has it.

    Attributes:
      num_rows: The number of ids.
      shards: The number of pieces.
      strategy: "div" or "mod".
    """

    num_rows: int
    shards: int
    strategy: str

    @property
    def sizes(self) -> list[int]:
        """The number of rows of each piece."""
        return rows_per_piece(self.num_rows, self.shards)

    def ids(self, piece: int) -> np.ndarray:
        """Returns the ids of a piece's rows, in order."""
        if self.strategy == "mod":
            return np.arange(piece, self.num_rows, self.shards)
        return np.arange(self._first(piece), self._first(piece + 1))

    def rows(self, ids: np.ndarray, piece: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the positions in `ids` of a piece's ids, and their rows in the piece."""
        if self.strategy == "mod":
            held = np.flatnonzero(ids % self.shards == piece)
            return held, ids[held] // self.shards
        first = self._first(piece)
        held = np.flatnonzero((ids >= first) & (ids < self._first(piece + 1)))
        return held, ids[held] - first

    def _first(self, piece: int) -> int:
        """The first id of a piece under "div"."""
        rows, longer = divmod(self.num_rows, self.shards)
        return piece * rows + min(piece, longer)


def reshard(
    pieces: Union[np.ndarray, Sequence[np.ndarray]],
    *,
    from_strategy: str,
    to_strategy: str,
    shards: Optional[int] = None,
    from_shards: Optional[int] = None,
) -> list[np.ndarray]:
    """Cuts a table another way, so that each class id finds the same row as before.

    >>> mod = [np.array([[0], [3]]), np.array([[1]]), np.array([[2]])]  # row c of class c
    >>> [table] = tsc.compat.v1.reshard(mod, from_strategy="mod", to_strategy="div", shards=1)
    >>> table.ravel().tolist()
    [0, 1, 2, 3]
    >>> old = np.concatenate(mod)  # a PartitionedVariable trained under "mod", TF 1's default
    >>> [table] = tsc.compat.v1.reshard(
    ...     old, from_strategy="mod", from_shards=3, to_strategy="div", shards=1)
    >>> table.ravel().tolist()
    [0, 1, 2, 3]

    Args:
      pieces: The `[rows, ...]` pieces in order; or one array, their concatenation, as a checkpoint
        holds a PartitionedVariable.
      from_strategy: The `partition_strategy` that `pieces` were trained with: "div" or "mod".
      to_strategy: The `partition_strategy` that the result will be looked up with.
      shards: The number of pieces to return; by default, as many as given.
      from_shards: If `pieces` is one array, the number of pieces in it; 1 by default. A list may
        give its length.

    Returns:
      The new pieces, as new arrays: row c of the table is `pieces[c % n][c // n]` under "mod", and
      row c of their concatenation under "div".

    Raises:
      ValueError: If a strategy is unknown, the pieces differ in dtype or in the shape of a row, or
        their sizes are not TensorFlow's: all the same, the first ones at most one row longer.

    Source: `tf.nn.embedding_lookup` of TensorFlow 1.15.
    """
    source = _split(pieces, from_strategy, from_shards)
    num_rows = sum(len(piece) for piece in source)
    before = partition(num_rows, len(source), from_strategy, "from_strategy", "from_shards")
    count = len(source) if shards is None else shards
    after = partition(num_rows, count, to_strategy, "to_strategy", "shards")
    return [gather_piece(source, before, after.ids(p)) for p in range(count)]


def partition(
    num_rows: int, shards: int, strategy: str, strategy_argument: str, shards_argument: str
) -> Partition:
    """Returns a checked `Partition`. The last two are the arguments' names, for messages."""
    if strategy not in checks.STRATEGIES:
        errors.fail(strategy_argument, "'div' or 'mod'", repr(strategy))
    count = checks.size_attribute(shards_argument, shards)
    if count is None:
        errors.fail(shards_argument, "a number, not a tensor of a graph", shards)
    return Partition(num_rows, count, strategy)


def gather_piece(source: Sequence[np.ndarray], before: Partition, ids: np.ndarray) -> np.ndarray:
    """Returns the rows of `ids` from pieces that are divided as `before`."""
    result = np.empty((len(ids), *source[0].shape[1:]), source[0].dtype)
    for p, piece in enumerate(source):
        held, rows = before.rows(ids, p)
        result[held] = piece[rows]
    return result


def check_pieces(argument: str, shapes: Sequence[Sequence[int]], dtypes: Sequence) -> None:
    """Checks that pieces are parts of one table, of the sizes that TensorFlow's lookup expects."""
    rows = [tuple(shape[1:]) for shape in shapes]
    for expected, values in (("rows of one shape", rows), ("pieces of one dtype", dtypes)):
        if any(value != values[0] for value in values):
            errors.fail(argument, expected, values)
    check_piece_sizes(argument, [shape[0] for shape in shapes])


def _split(pieces: Any, strategy: str, from_shards: Optional[int]) -> list[np.ndarray]:
    if isinstance(pieces, (list, tuple)):
        if not pieces:
            errors.fail("pieces", "at least one piece", "an empty list")
        if from_shards not in (None, len(pieces)):
            errors.fail("from_shards", f"{len(pieces)}, the number of pieces given", from_shards)
        arrays = [np.asarray(piece) for piece in pieces]
        if any(array.ndim < 1 for array in arrays):
            errors.fail("pieces", "arrays of shape [rows, ...]", [a.shape for a in arrays])
        check_pieces("pieces", [a.shape for a in arrays], [a.dtype for a in arrays])
        return arrays
    whole = np.asarray(pieces)
    if whole.ndim < 1:
        errors.fail("pieces", "an array of shape [rows, ...] or a list of them", repr(pieces))
    count = 1 if from_shards is None else from_shards
    sizes = partition(len(whole), count, strategy, "from_strategy", "from_shards").sizes
    return np.split(whole, np.cumsum(sizes)[:-1])
