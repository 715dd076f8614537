"""Adds the new classes of a block of draws to those found before, in the order of the draws.

There are three ways to do it, and all give the same classes. Outside XLA `tf.unique` hashes. Under
XLA no shape may depend on a value: a table of all classes marks where each comes up first or,
where there are too many classes for a table, a sort brings equal draws together.
"""

from __future__ import annotations

import functools
from typing import Callable

import tensorflow as tf

from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import static_size_of

# With at most so many classes per draw, marking a table is faster than sorting the draws.
_TABLE_PER_DRAW = 64

# From `classes`, `[S]` int64 of which the first `found` are in use and the others are -1, `found`,
# and the `[N]` draws of a block to:
# - `classes` with the new ones behind the old ones, as far as there is room,
# - how many of the S there are now,
# - which draw of the block completed the S. Meaningless if they are not complete.
Merge = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def merge_for(block_size: int, range_max: int) -> Merge:
    """Returns the fastest of the three ways in the context that is now being traced."""
    if not private.in_xla_context():
        return by_hashing
    if range_max <= _TABLE_PER_DRAW * block_size:
        return functools.partial(by_marking, range_max=range_max)
    return by_sorting


def by_hashing(
    classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Merges with `tf.unique`; see `Merge`."""
    room = static_size_of(classes, 0)
    ids, positions = tf.unique(tf.concat([classes[:found], drawn], axis=0))
    missing = tf.maximum(room - tf.size(ids), 0)
    classes = tf.pad(ids[:room], [[0, missing]], constant_values=tf.constant(-1, tf.int64))
    last = tf.argmax(tf.equal(positions, room - 1), output_type=tf.int32) - found
    return tf.ensure_shape(classes, [room]), tf.minimum(tf.size(ids), room), last


def by_marking(
    classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor, range_max: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Merges in static shapes, with a table that holds the first position of each class."""
    ids, used = _joined(classes, found, drawn)
    size = static_size_of(ids, 0)
    positions = tf.range(size)
    marks = tf.where(used, ids, range_max)  # The table's last entry belongs to no class.
    firsts = tf.tensor_scatter_nd_min(
        tf.fill([range_max + 1], size), marks[:, tf.newaxis], positions
    )
    is_first = tf.equal(tf.gather(firsts, marks), positions)
    return _compacted(ids, used & is_first, static_size_of(classes, 0))


def by_sorting(
    classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Merges in static shapes, by a stable sort: of equal ids the first to be drawn stays first."""
    ids, used = _joined(classes, found, drawn)
    order = tf.argsort(ids, stable=True)
    ordered = tf.gather(ids, order)
    differs = tf.concat([[True], tf.not_equal(ordered[1:], ordered[:-1])], axis=0)
    is_first = tf.scatter_nd(order[:, tf.newaxis], tf.cast(differs, tf.int32), ids.shape) > 0
    return _compacted(ids, used & is_first, static_size_of(classes, 0))


def _joined(classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the classes and the draws in one row, and which places of it are in use."""
    ids = tf.concat([classes, drawn], axis=0)
    positions = tf.range(static_size_of(ids, 0))
    return ids, (positions < found) | (positions >= static_size_of(classes, 0))


def _compacted(ids: tf.Tensor, new: tf.Tensor, room: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Moves the new ids together, and completes what `Merge` returns."""
    ranks = tf.cumsum(tf.cast(new, tf.int32)) - 1
    places = tf.where(new & (ranks < room), ranks, room)  # The last place is cut off.
    empty = tf.fill([room + 1], tf.constant(-1, tf.int64))
    classes = tf.tensor_scatter_nd_update(empty, places[:, tf.newaxis], ids)[:room]
    last = tf.argmax(new & tf.equal(ranks, room - 1), output_type=tf.int32) - room
    return classes, tf.minimum(ranks[-1] + 1, room), last
