"""The terms of a loss over all classes, in one of two ways.

By blocks, the rows are looked up, a block after another: a table that is only evaluated is never
read as a whole, which copies it if it has had a sparse update. To train, whose gradient has a row
for every class anyway, the pieces of the table are read whole, so that the gradient of each is one
dense tensor that a backend fills in one pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.backends import streaming
from tf_sampled_compat.core.backends.interface import Backend, SumKind, Terms
from tf_sampled_compat.core.losses.blocks import fold_blocks, num_classes_of
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.tables.lookup import lookup
from tf_sampled_compat.core.tables.table import Table
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

_NO_CLASS = -1


class Part(NamedTuple):
    """The classes that a piece of a table holds.

    Attributes:
      rows: `[n, D]`, as they are used.
      biases: `[n]`.
      labels: `[B, T]`: the labels as positions in rows; outside of them where one is of another
        piece.
    """

    rows: tf.Tensor
    biases: tf.Tensor
    labels: tf.Tensor


def may_train() -> bool:
    """Returns whether somebody may ask for the gradient of what is being computed.

    A function without a tape is an evaluation, unless the tape is around its call: its gradient is
    the same then, but takes longer. In a graph of TF 1 nobody knows.
    """
    in_graph = not tf.executing_eagerly() and not tf.inside_function()
    return in_graph or private.is_recorded()


def by_blocks(batch: Batch, backend: Backend, kind: SumKind, num_classes: Any) -> Terms:
    """Returns the terms over all classes, of blocks of rows that are looked up."""
    labels = _labels(batch)

    def fold(terms: tuple, rows: tf.Tensor, biases: tf.Tensor, first: tf.Tensor) -> tuple:
        block = backend.reduce(batch.inputs, rows, biases, labels - first, kind)
        return tuple(streaming.joined(kind, Terms(*terms), block))

    negatives, true_logits = fold_blocks(batch, num_classes, fold, tuple(_nothing(batch, kind)))
    return Terms(negatives, true_logits)


def of_parts(batch: Batch, backend: Backend, kind: SumKind, parts: list[Part]) -> Terms:
    """Returns the terms over all classes, of pieces that are read whole."""
    terms: Optional[Terms] = None
    for part in parts:
        of_part = backend.stream(batch.inputs, part.rows, part.biases, part.labels, kind)
        terms = of_part if terms is None else streaming.joined(kind, terms, of_part)
    return _nothing(batch, kind) if terms is None else terms


def read(batch: Batch, num_classes: Any) -> list[Part]:
    """Reads the pieces of a table whole."""
    total, labels = num_classes_of(batch, num_classes), _labels(batch)
    biases = _biases(batch, total)
    weights, count = batch.weights, len(batch.weights.pieces)
    parts, start = [], 0
    for place, piece in enumerate(weights.pieces):
        held = size_of(piece, 0)
        with private.colocated_with(piece):
            rows = tf.convert_to_tensor(piece)
        size = tf.shape(rows, tf.int64)[0] if held is None else held
        if weights.strategy == "mod" and count > 1:
            local = tf.where(tf.equal(labels % count, place), labels // count, _NO_CLASS)
            used = (total + count - 1 - place) // count
            of_rows = biases[place::count]
        else:
            used = _clipped(total - start, size)
            local = labels - start
            of_rows = biases[start : start + used] if count > 1 else biases
            start = start + size
        if not (isinstance(used, int) and used == held):
            rows = rows[:used]
        parts.append(Part(batch.as_used(rows), of_rows, local))
    return parts


def sum_of_logits(batch: Batch, num_classes: Any, parts: Optional[list[Part]]) -> tf.Tensor:
    """Returns Σ_c logit_c: `[B]`. It is linear in the rows, so their sum is enough.

    Args:
      batch: The prepared arguments.
      num_classes: C, or None for all rows.
      parts: The parts of the table, if it was read whole.
    """
    dtype = batch.compute_dtype
    if parts is not None:
        rows = tf.add_n([tf.reduce_sum(tf.cast(part.rows, dtype), axis=0) for part in parts])
        biases = tf.add_n([tf.reduce_sum(part.biases) for part in parts])
        return tf.linalg.matvec(tf.cast(batch.inputs, dtype), rows) + biases
    total = tf.cast(num_classes_of(batch, num_classes), tf.int64)
    dim = tf.shape(batch.inputs)[1]

    def fold(sums: tuple, rows: tf.Tensor, biases: tf.Tensor, first: tf.Tensor) -> tuple:
        # Under XLA the last block may be filled up.
        there = first + tf.range(tf.shape(rows, out_type=tf.int64)[0]) < total
        rows = tf.where(there[:, tf.newaxis], tf.cast(rows, biases.dtype), 0)
        biases = tf.where(there, biases, tf.zeros_like(biases))
        of_biases = tf.reduce_sum(biases, keepdims=True)
        return sums[0] + tf.reduce_sum(rows, axis=0), sums[1] + of_biases

    start = [tf.zeros([size], dtype) for size in (dim, 1)]
    rows, biases = fold_blocks(batch, num_classes, fold, tuple(start))
    return tf.linalg.matvec(tf.cast(batch.inputs, rows.dtype), rows) + biases


def _labels(batch: Batch) -> tf.Tensor:
    """Returns the `[B, T]` labels, -1 where one is no class."""
    labels = batch.labels_of_rows()
    if batch.true_mask is None:
        return labels
    return tf.where(batch.true_mask, labels, tf.constant(_NO_CLASS, tf.int64))


def _biases(batch: Batch, total: Any) -> tf.Tensor:
    """Returns the `[C]` biases, in the order of the classes."""
    table = batch.biases
    if not table.pieces:
        return tf.zeros([total], batch.compute_dtype)
    return batch.as_biases(_whole(table, total))


def _whole(table: Table, total: Any) -> tf.Tensor:
    if table.strategy == "mod" and len(table.pieces) > 1:
        return lookup(table, tf.range(tf.cast(total, tf.int64)))
    pieces = []
    for piece in table.pieces:
        with private.colocated_with(piece):
            pieces.append(tf.convert_to_tensor(piece))
    whole = pieces[0] if len(pieces) == 1 else tf.concat(pieces, axis=0)
    is_all = isinstance(total, int) and total == table.num_rows
    return whole if is_all else whole[:total]


def _clipped(count: Any, most: Any) -> Any:
    if isinstance(count, int) and isinstance(most, int):
        return min(max(count, 0), most)
    count, most = tf.cast(count, tf.int64), tf.cast(most, tf.int64)
    return tf.minimum(tf.maximum(count, 0), most)


def _nothing(batch: Batch, kind: SumKind) -> Terms:
    """The terms over no class."""
    dtype, labels = batch.compute_dtype, _labels(batch)
    none = tf.constant(float("-inf") if kind == "softmax" else 0.0, dtype)
    negatives = tf.fill(tf.shape(batch.inputs)[:1], none)
    return Terms(negatives, tf.zeros(tf.shape(labels), dtype))
