"""Draws until so many distinct classes have come up, and says how many draws that took."""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

# After so many blocks the distribution is judged unable to give that many distinct classes in any
# reasonable time. TensorFlow's kernels would go on for hours.
MAX_BLOCKS = 1000

Draw = Callable[[tf.Tensor, int], tf.Tensor]


def distinct(draw: Draw, num_sampled: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Keeps the first occurrences in a sequence of draws until there are `num_sampled`.

    Args:
      draw: From the number of a block (a scalar int64 tensor) and its size to `[size]` int64 ids.
      num_sampled: S.

    Returns:
      The `[S]` ids in the order they came up, and how many draws there were up to the last one, a
      scalar int64. Under XLA, where nothing can be raised, that is -1 if `MAX_BLOCKS` did not do.

    Raises:
      InvalidArgumentError: If `MAX_BLOCKS` blocks did not do.
    """
    # A little more than is needed: repetitions are likely, and another block costs more.
    size = num_sampled + num_sampled // 4 + 32
    step = _static_block if private.in_xla_context() else _block
    chosen = tf.zeros([0], tf.int64)
    if private.in_xla_context():
        chosen = tf.fill([num_sampled], tf.constant(-1, tf.int64))

    def body(block: tf.Tensor, chosen: tf.Tensor, tries: tf.Tensor) -> tuple[tf.Tensor, ...]:
        chosen, position = step(chosen, draw(block, size), num_sampled)
        return block + 1, chosen, tf.where(position < 0, tries, block * size + position + 1)

    block, chosen, tries = tf.while_loop(
        lambda block, chosen, tries: tf.logical_and(tries < 0, block < MAX_BLOCKS),
        body,
        [tf.constant(0, tf.int64), chosen, tf.constant(-1, tf.int64)],
        shape_invariants=[
            tf.TensorShape([]),
            tf.TensorShape([size_of(chosen, 0) or None]),
            tf.TensorShape([]),
        ],
    )
    expected = f"fewer distinct classes: {MAX_BLOCKS * size} draws did not bring up that many"
    found = errors.require(tries > 0, "num_sampled", expected, num_sampled)
    return errors.after(found, chosen[:num_sampled]), tries


def _block(chosen: tf.Tensor, drawn: tf.Tensor, num: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Appends a block's new ids; returns also where in it the last one needed stands, or -1."""
    ids, index = tf.unique(tf.concat([chosen, drawn], axis=0))
    last = tf.equal(index[tf.size(chosen) :], num - 1)
    position = tf.where(tf.reduce_any(last), tf.argmax(tf.cast(last, tf.int32)), -1)
    return ids, position


def _static_block(chosen: tf.Tensor, drawn: tf.Tensor, num: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The same in XLA's static shapes: `[num]` ids, -1 where there is none yet."""
    ids = tf.concat([chosen, drawn], axis=0)
    order = tf.argsort(ids, stable=True)
    ordered = tf.gather(ids, order)
    new = tf.concat([[True], tf.not_equal(ordered[1:], ordered[:-1])], axis=0)
    first = tf.scatter_nd(order[:, tf.newaxis], tf.cast(new, tf.int32), tf.shape(ids))
    first = tf.where(ids < 0, 0, first)
    rank = tf.cumsum(first)
    # Those that are not first, or no longer needed, go to a place that is cut off.
    place = tf.where(tf.logical_and(first > 0, rank <= num), rank - 1, num)
    kept = tf.tensor_scatter_nd_update(
        tf.fill([num + 1], tf.constant(-1, tf.int64)), place[:, tf.newaxis], ids
    )[:num]
    last = tf.logical_and(first > 0, tf.equal(rank, num))[num:]
    position = tf.where(tf.reduce_any(last), tf.argmax(tf.cast(last, tf.int32)), -1)
    return kept, position
