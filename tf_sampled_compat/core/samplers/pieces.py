"""Draws in pieces of bounded work, between which a program can be interrupted or cancelled."""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf import private

# TensorFlow's kernels end the process after so many draws.
MOST_TRIES = 2**31 - 1
# The C++ op's kMostTriesInPiece; well below a second. Even, as streams are read from an even word.
PIECE = 2**22


def check(num_sampled: int) -> None:
    """Raises an `ArgumentError` for more draws than any sampler makes: 16 GiB of classes."""
    if num_sampled > MOST_TRIES:
        errors.fail("num_sampled", f"at most {MOST_TRIES}", num_sampled)


def in_pieces(draw: Callable[[tf.Tensor, int], tf.Tensor], num_sampled: int) -> tf.Tensor:
    """Returns `num_sampled` independent draws.

    Args:
      draw: From the first word, an int64 scalar, and a number of words to as many int64 classes.
      num_sampled: How many to draw. XLA draws all at once: it cannot be interrupted.
    """
    if num_sampled <= PIECE or private.in_xla_context():
        return draw(tf.constant(0, tf.int64), num_sampled)
    whole, rest = divmod(num_sampled, PIECE)
    drawn = tf.TensorArray(
        tf.int64, size=whole + (rest > 0), infer_shape=False, element_shape=tf.TensorShape([None])
    )

    def one_more(place: tf.Tensor, drawn: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        return place + 1, drawn.write(place, draw(tf.cast(place, tf.int64) * PIECE, PIECE))

    def wants_more(place: tf.Tensor, drawn: tf.TensorArray) -> tf.Tensor:
        del drawn
        return place < whole

    _, drawn = tf.while_loop(wants_more, one_more, (tf.constant(0), drawn), parallel_iterations=1)
    if rest:
        drawn = drawn.write(whole, draw(tf.constant(whole * PIECE, tf.int64), rest))
    return drawn.concat()
