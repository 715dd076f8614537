"""Gathers rows of a table on the device that holds them, for every form of table.

Pieces are gathered from and never converted to tensors: reading a variable that has had a sparse
update copies all of it.
"""

from __future__ import annotations

from typing import Callable, Optional

import tensorflow as tf

from tf_sampled_compat.core.tables.table import Table
from tf_sampled_compat.core.tf import private

Transform = Callable[[tf.Tensor], tf.Tensor]


def lookup(table: Table, ids: tf.Tensor, transform: Optional[Transform] = None) -> tf.Tensor:
    """Returns the rows of `table` for `ids`, in their order.

    The gradient for each piece is an `IndexedSlices` with an entry for each id in it.

    Args:
      table: The table.
      ids: `[N]` int64 class ids.
      transform: Applied to the `[n, ...]` rows of each piece, on that piece's device, so that
        only the transformed rows are sent. It must keep the first dimension.

    Returns:
      A `[N, ...]` tensor.
    """
    if not table.pieces:
        return tf.zeros(tf.shape(ids))
    if len(table.pieces) == 1:
        return tf.identity(_gather(table.pieces[0], ids, transform))
    owner, local_ids = locate(table, ids)
    if private.in_xla_context():
        return _masked_sum(table, owner, local_ids, transform)
    return _partition_and_stitch(table, owner, local_ids, transform)


def locate(table: Table, ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns which piece holds each id (int32), and its row in that piece (int64)."""
    count = len(table.pieces)
    if table.strategy == "mod":
        return tf.cast(ids % count, tf.int32), ids // count
    total = table.num_rows
    if total is None:
        total = tf.add_n([tf.shape(piece, out_type=tf.int64)[0] for piece in table.pieces])
    short, extra = total // count, total % count
    # The first `extra` pieces hold short + 1 rows. With fewer rows than pieces, short is 0 and the
    # second quotient is not used.
    later = (ids - extra) // tf.maximum(tf.cast(short, tf.int64), 1)
    owner = tf.maximum(ids // (short + 1), later)
    local_ids = tf.where(owner < extra, ids - owner * (short + 1), ids - extra - owner * short)
    return tf.cast(owner, tf.int32), local_ids


def _gather(piece, ids: tf.Tensor, transform: Optional[Transform]) -> tf.Tensor:
    with private.colocated_with(piece):
        rows = tf.gather(piece, ids)
        return rows if transform is None else transform(rows)


def _partition_and_stitch(table, owner, local_ids, transform) -> tf.Tensor:
    count = len(table.pieces)
    ids_by_piece = tf.dynamic_partition(local_ids, owner, count)
    positions = tf.dynamic_partition(tf.range(tf.size(local_ids)), owner, count)
    rows = [_gather(p, i, transform) for p, i in zip(table.pieces, ids_by_piece)]
    return tf.dynamic_stitch(positions, rows)


def _masked_sum(table, owner, local_ids, transform) -> tf.Tensor:
    """Does the same with static shapes, which XLA needs: each piece looks up every id."""
    total = None
    for index, piece in enumerate(table.pieces):
        mine = tf.equal(owner, index)
        rows = _gather(piece, tf.where(mine, local_ids, 0), transform)
        mine = tf.reshape(mine, [-1] + [1] * (rows.shape.rank - 1))
        rows = tf.where(mine, rows, tf.zeros_like(rows))
        total = rows if total is None else total + rows
    return total
