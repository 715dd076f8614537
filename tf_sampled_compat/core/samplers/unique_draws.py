"""Draws one class after another and rejects repeated ones, until there are enough distinct classes.

TensorFlow's samplers do the same, so the distribution is theirs.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers import first_occurrences
from tf_sampled_compat.core.tf import private


class Draws(NamedTuple):
    """Classes that were drawn.

    Attributes:
      classes: `[S]` int64, in the order in which they first came up.
      num_tries: An int64 scalar: how many draws it took to get them, repeated ones included.
      complete: A bool scalar: whether there are S classes. Missing classes are -1. None if S
        classes are guaranteed.
    """

    classes: tf.Tensor
    num_tries: tf.Tensor
    complete: Optional[tf.Tensor]


def draw_unique(
    draw_block: Callable[[tf.Tensor, Any], tf.Tensor],
    *,
    num_sampled: int,
    range_max: int,
    block_size: int,
    largest_block: int,
    most_tries: int,
    possible: Optional[tf.Tensor] = None,
) -> Draws:
    """Draws blocks until there are `num_sampled` distinct classes; keeps their first occurrences.

    Args:
      draw_block: From the number of draws so far, an int64 scalar, and a number of draws to as many
        int64 classes, the next ones.
      num_sampled: S.
      range_max: C.
      block_size: How many classes to draw at first.
      largest_block: How many to draw at once at most. Blocks grow, as a draw that was not complete
        after many tries may need many more. Under XLA, which needs static shapes, they do not.
      most_tries: After so many draws it gives up.
      possible: Whether there are S classes to be drawn, if only the running graph knows. If there
        are not, nothing is drawn.

    Raises:
      InvalidArgumentError: If `most_tries` draws were not enough. Under XLA, which compiles no
        assertions, the missing classes are -1.
    """
    grows = largest_block > block_size and not private.in_xla_context()
    merge = first_occurrences.merge_for(block_size, range_max)
    start = tf.constant(0, tf.int64)
    if possible is not None:
        start = tf.where(possible, start, most_tries)

    def wants_more(classes: tf.Tensor, found: tf.Tensor, tries: tf.Tensor) -> tf.Tensor:
        del classes
        return (found < num_sampled) & (tries < most_tries)

    def one_more_block(
        classes: tf.Tensor, found: tf.Tensor, tries: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        size: Any = block_size
        if grows:
            size = tf.cast(tf.clip_by_value(tries, block_size, largest_block), tf.int32)
        classes, found, last = merge(classes, found, draw_block(tries, size))
        done = tf.equal(found, num_sampled)
        return classes, found, tries + tf.cast(tf.where(done, last + 1, size), tf.int64)

    nothing = tf.fill([num_sampled], tf.constant(-1, tf.int64))
    classes, found, tries = tf.while_loop(
        wants_more, one_more_block, (nothing, tf.constant(0), start)
    )
    complete = tf.equal(found, num_sampled)
    assertions = require(complete, num_sampled, most_tries)
    return Draws(errors.after(assertions, classes), tries, complete)


def require(complete: tf.Tensor, num_sampled: int, most_tries: int) -> list[tf.Operation]:
    """Returns assertions that a draw is complete."""
    expected = f"fewer distinct classes, no more than {most_tries} draws find, or unique=False"
    return errors.require(complete, "num_sampled", expected, num_sampled)
