"""Converts `weights` and `biases` to one form: the pieces of a table and their order."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import tensorflow as tf
from absl import logging

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of


class _NoBiases:
    """The type of `NO_BIASES`."""

    def __repr__(self) -> str:
        return "NO_BIASES"


# Passed as biases: zero for every class, without a table of zeros to make and read. None does not
# mean this, because TensorFlow's functions refuse it, and so do ours.
NO_BIASES = _NoBiases()


class Table(NamedTuple):
    """A `[num_rows, ...]` table, whole or in pieces along its first dimension.

    Attributes:
      argument: The name of the argument, for messages: "weights" or "biases".
      pieces: Tensors or variables that can be gathered from; empty if every entry is zero.
      strategy: "div": piece p holds a contiguous range of ids. "mod": piece p holds the ids i with
        i % n = p. In both, the first num_rows % n pieces hold one row more than the others.
    """

    argument: str
    pieces: tuple[Any, ...]
    strategy: str

    @property
    def num_rows(self) -> Optional[int]:
        """The number of rows, or None if it is not known while tracing."""
        sizes = [size_of(piece, 0) for piece in self.pieces]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None


def as_table(argument: str, value: Any, *, strategy: str, rank: int, contiguous_mod: str) -> Table:
    """Converts an argument to a `Table`.

    Args:
      argument: "weights" or "biases".
      value: A tensor, array, `tf.Variable`, Keras variable, PartitionedVariable, ShardedVariable,
        or a list or tuple of these; or `NO_BIASES`.
      strategy: "div" or "mod".
      rank: The table's rank: 2 for weights, 1 for biases.
      contiguous_mod: How to treat "mod" over a PartitionedVariable, whose pieces are contiguous
        ranges of rows: "permute" reads the rows in TF 1's permuted order and warns once;
        "concatenate" reads them in their own order, as if they were concatenated; "refuse" raises
        an error.

    Raises:
      ArgumentError: If the argument is None or empty, a piece has the wrong rank or size, or the
        strategy does not fit the kind of table.
    """
    if value is None:
        errors.fail(
            argument, "a tensor, a variable, or a list of them (params must be specified)", value
        )
    if value is NO_BIASES:
        return Table(argument, (), strategy)
    if contiguous_mod == "concatenate" and private.is_partitioned_variable(_only(value)):
        strategy = "div"
    pieces = _pieces(argument, value, strategy, contiguous_mod)
    if not pieces:
        errors.fail(argument, "at least one piece", "an empty list")
    made = Table(argument, tuple(_gatherable(argument, piece) for piece in pieces), strategy)
    for piece in made.pieces:
        if piece.shape.rank not in (None, rank):
            errors.fail(argument, f"rank {rank}", f"shape {piece.shape}")
    _check_sizes(made)
    return made


def rows_per_piece(num_rows: int, num_pieces: int) -> list[int]:
    """Returns the number of rows of each piece, which is the same under "div" and "mod"."""
    return [_rows_of(piece, num_rows, num_pieces) for piece in range(num_pieces)]


def _rows_of(piece: Any, num_rows: Any, num_pieces: int) -> Any:
    """Returns ceil((num_rows - piece) / num_pieces), of integers or of integer tensors."""
    return (num_rows + num_pieces - 1 - piece) // num_pieces


def check_piece_sizes(argument: str, sizes: Sequence[int]) -> None:
    """Checks that pieces have the sizes that TensorFlow's lookup expects."""
    expected = rows_per_piece(sum(sizes), len(sizes))
    if list(sizes) != expected:
        errors.fail(
            argument,
            f"{sum(sizes)} rows cut into pieces of {expected} rows, as TensorFlow's lookup expects "
            "under 'div' and under 'mod'",
            f"pieces of {list(sizes)} rows",
        )


def size_assertions(made: Table) -> list[tf.Operation]:
    """Checks the pieces' sizes when the graph runs, if they are not known while tracing."""
    if len(made.pieces) <= 1 or made.num_rows is not None:
        return []
    sizes = tf.stack([tf.shape(piece)[0] for piece in made.pieces])
    total, count = tf.reduce_sum(sizes), len(made.pieces)
    return errors.require(
        tf.reduce_all(tf.equal(sizes, _rows_of(tf.range(count), total, count))),
        made.argument,
        "pieces of the same size, the first ones at most one row longer",
        sizes,
    )


def _pieces(argument: str, value: Any, strategy: str, contiguous_mod: str) -> list[Any]:
    value = _only(value)
    if isinstance(value, (list, tuple)):
        return [as_tensor(argument, value)] if value and _is_numbers(value) else list(value)
    if private.is_partitioned_variable(value):
        pieces = list(value)
        if strategy == "mod" and len(pieces) > 1:
            _contiguous_mod(argument, contiguous_mod)
        return pieces
    shards = private.unwrap_variable(value)  # Keras 3 has its own variable around them.
    if private.is_sharded_variable(shards):
        pieces = list(shards.variables)
        if strategy == "mod" and len(pieces) > 1:
            errors.fail(
                argument,
                "partition_strategy='div' for a ShardedVariable, whose shards are contiguous",
                "partition_strategy='mod', which would read other classes' rows; pass "
                "partition_strategy='div', or a list of variables cut as 'mod' cuts them",
            )
        return pieces
    return [value]


def _only(value: Any) -> Any:
    """Unpacks a list of one piece. Anything else is returned as it is."""
    if isinstance(value, (list, tuple)) and len(value) == 1 and not _is_numbers(value):
        return value[0]
    return value


def _is_numbers(value: Any) -> bool:
    """Returns whether a list holds the table's numbers, and not its pieces."""
    return all(isinstance(piece, (numbers.Number, list, tuple)) for piece in value)


def _contiguous_mod(argument: str, contiguous_mod: str) -> None:
    if contiguous_mod == "refuse":
        errors.fail(
            argument,
            "partition_strategy='div' for a PartitionedVariable, whose pieces are contiguous",
            "partition_strategy='mod', which would read other classes' rows; pass "
            "partition_strategy='div', or use tf_sampled_compat.compat.v1.nn for TF 1's value",
        )
    logging.log_first_n(
        logging.WARNING,
        "partition_strategy='mod' over a PartitionedVariable, whose pieces are contiguous, reads "
        "the rows of %s in a permuted order, as TF 1 does. Evaluation must look rows up with the "
        "same strategy: the concatenated table has the classes in another order. "
        "partition_strategy='div' has no such trap.",
        1,
        argument,
    )


def _gatherable(argument: str, piece: Any) -> Any:
    piece = private.unwrap_variable(piece)
    if isinstance(piece, (tf.SparseTensor, tf.RaggedTensor)):  # TensorFlow calls them tensors too.
        errors.fail(argument, "a dense table", type(piece).__name__, errors.ArgumentTypeError)
    if tf.is_tensor(piece) or isinstance(piece, tf.Variable):
        return piece
    return as_tensor(argument, piece)


def _check_sizes(made: Table) -> None:
    sizes = [size_of(piece, 0) for piece in made.pieces]
    known = [size for size in sizes if size is not None]
    if len(known) == len(sizes):
        check_piece_sizes(made.argument, known)
