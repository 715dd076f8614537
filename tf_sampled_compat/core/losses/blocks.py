"""Visits all classes, one block of rows at a time."""

from __future__ import annotations

from typing import Any, Callable, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.tables.table import Table
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

# (state, rows, biases in the compute dtype, id of the first row) -> state.
Fold = Callable[[Any, tf.Tensor, tf.Tensor, tf.Tensor], Any]

# Numbers in a block of rows, and in a composite's block of logits: 8 MiB and 16 MiB of float32.
_BLOCK_NUMBERS = 2**21
_BLOCK_LOGITS = 2**22
_MOST_ROWS = 2**15
# Rows in a block under XLA, where the batch size may be unknown while tracing.
_STATIC_ROWS = 2**12


def num_classes_of(batch: Batch, num_classes: Any) -> Any:
    """Returns the number of classes to visit: `num_classes`, or by default the number of rows.

    Both tables have a row for each of them: this is checked.
    """
    if num_classes is None:
        total = _rows(batch.weights)
        return _at_most_rows(total, "biases", f"at least {total} rows, as weights", batch.biases)
    total = checks.size_attribute("num_classes", num_classes) or num_classes
    for table in (batch.weights, batch.biases):
        total = _at_most_rows(total, "num_classes", f"at most the rows of {table.argument}", table)
    return total


def _rows(table: Table) -> Any:
    """Returns the number of rows: an integer if it is known."""
    if table.num_rows is not None:
        return table.num_rows
    return tf.add_n([tf.shape(piece)[0] for piece in table.pieces])


def _at_most_rows(total: Any, argument: str, expected: str, table: Table) -> Any:
    """Returns a number of classes, checked to be at most the number of rows."""
    if not table.pieces:  # No biases.
        return total
    rows = _rows(table)
    got = rows if argument == table.argument else total
    if isinstance(rows, int) and isinstance(total, int):
        if total > rows:
            errors.fail(argument, f"{expected}, {rows}" if got is total else expected, got)
        return total
    fits = tf.cast(total, tf.int64) <= tf.cast(rows, tf.int64)
    return errors.after(errors.require(fits, argument, expected, got), total)


def fold_blocks(
    batch: Batch,
    num_classes: Any,
    fold: Fold,
    start: Any,
    *,
    least_rows: int = 16,
    classes: Optional[tf.Tensor] = None,
) -> Any:
    """Folds the rows and biases of all classes into a state, one block at a time.

    Args:
      batch: The prepared arguments.
      num_classes: See `num_classes_of`.
      fold: Adds a block to the state. Under XLA the last block may be filled up with rows whose
        bias is minus infinity.
      start: The first state: tensors whose first dimension does not change.
      least_rows: The minimum number of rows of a block under XLA, if there are so many classes.
      classes: `[m]` int64: visits these classes alone, in this order. Then `fold` gets the place of
        the first row in them instead of its id.
    """
    total = num_classes_of(batch, num_classes)
    if classes is not None:
        total = size_of(classes, 0)
        total = tf.shape(classes)[0] if total is None else total
    if private.in_xla_context() and isinstance(total, int):
        return _fold_static(batch, total, fold, start, least_rows, classes)
    total = tf.cast(total, tf.int64)
    dim = tf.shape(batch.inputs)  # int32, because TFLite divides no int64
    rows = tf.minimum(
        _BLOCK_NUMBERS // tf.maximum(dim[1], 1), _BLOCK_LOGITS // tf.maximum(dim[0], 1)
    )
    size = tf.cast(tf.clip_by_value(rows, 16, _MOST_ROWS), tf.int64)

    def body(first: tf.Tensor, state: Any) -> tuple:
        ids = _ids(tf.range(first, tf.minimum(first + size, total)), classes)
        return first + size, fold(state, batch.rows(ids), batch.row_biases(ids), first)

    _, result = tf.while_loop(
        lambda first, _: first < total,
        body,
        (tf.constant(0, tf.int64), start),
        shape_invariants=(tf.TensorShape([]), _invariants(start)),
        parallel_iterations=1,
    )
    return result


def _fold_static(
    batch: Batch,
    total: int,
    fold: Fold,
    start: Any,
    least_rows: int,
    classes: Optional[tf.Tensor],
) -> Any:
    """Does the same under XLA: all blocks have one size, and their number is known in tracing."""
    size = min(total, max(_STATIC_ROWS, least_rows))
    last = tf.constant(total - 1, tf.int64)
    nothing = tf.constant(float("-inf"), batch.compute_dtype)

    def body(first: tf.Tensor, state: Any) -> tuple:
        ids = first + tf.range(size, dtype=tf.int64)
        there, ids = ids <= last, _ids(tf.minimum(ids, last), classes)
        biases = tf.where(there, batch.row_biases(ids), nothing)
        return first + size, fold(state, batch.rows(ids), biases, first)

    # The first block is outside the loop, because a state may grow in it, but not later.
    first, state = body(tf.constant(0, tf.int64), start)
    if size == total:
        return state
    _, result = tf.while_loop(
        lambda first, _: first <= last,
        body,
        (first, state),
        shape_invariants=(tf.TensorShape([]), _invariants(state)),
        maximum_iterations=-(-total // size) - 1,  # XLA needs it for gradients.
        parallel_iterations=1,
    )
    return result


def _ids(places: tf.Tensor, classes: Optional[tf.Tensor]) -> tf.Tensor:
    return places if classes is None else tf.gather(classes, places)


def _invariants(state: Any) -> Any:
    return tf.nest.map_structure(
        lambda t: tf.TensorShape([size_of(t, 0)] + [None] * (t.shape.rank - 1)), state
    )
