"""Draws one after another, of which the first occurrences are kept until there are enough.

What TensorFlow's samplers do, and so exactly their distribution: not that of distinct classes among
a fixed number of draws, nor of the smallest ones.
"""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core import errors, internals
from tf_sampled_compat.core.stream import Stream

# Where TensorFlow's kernels end the process.
MOST_TRIES = 2**31 - 1
# Draws of a round for each class wanted. A Zipf-like law needs two to three where there are far
# more classes than wanted.
_DRAWS_PER_CLASS = 4

Inversion = Callable[[tf.Tensor], tf.Tensor]


class Draws(NamedTuple):
    """What was drawn.

    Attributes:
      classes: `[S]` int64.
      num_tries: An int64 scalar: how many draws there were up to the last class kept.
      complete: A bool scalar: whether there are S classes. What lacks is -1. None if it is sure.
    """

    classes: tf.Tensor
    num_tries: tf.Tensor
    complete: Optional[tf.Tensor]


def draw(
    stream: Stream,
    invert: Inversion,
    *,
    num_sampled: int,
    unique: bool,
    possible: Optional[tf.Tensor] = None,
) -> Draws:
    """Draws classes from the words of a stream.

    Args:
      stream: The words.
      invert: Makes classes of words.
      num_sampled: S.
      unique: Whether a class that was drawn before is rejected.
      possible: Whether there are S classes at all, where only the running graph knows.
    """
    if not unique:
        classes = invert(stream.words(0, num_sampled))
        return Draws(classes, tf.constant(num_sampled, tf.int64), None)
    size = 2 * max(_DRAWS_PER_CLASS * num_sampled // 2, 64)
    first_occurrences = _by_sorting if internals.in_xla_context() else _by_hashing
    start = tf.constant(0, tf.int64)
    if possible is not None:  # if there are not, there is nothing to try
        start = tf.where(possible, start, MOST_TRIES)

    def wanting(classes: tf.Tensor, found: tf.Tensor, tries: tf.Tensor) -> tf.Tensor:
        del classes
        return (found < num_sampled) & (tries < MOST_TRIES)

    def another_round(classes: tf.Tensor, found: tf.Tensor, tries: tf.Tensor) -> tuple:
        drawn = invert(stream.words(tries, size))
        classes, now_found, last = first_occurrences(classes, found, drawn)
        done = now_found >= num_sampled
        tries += tf.where(done, tf.cast(last, tf.int64) + 1, size)
        return classes, tf.minimum(now_found, num_sampled), tries

    classes, found, tries = tf.while_loop(
        wanting,
        another_round,
        (tf.fill([num_sampled], tf.constant(-1, tf.int64)), tf.constant(0), start),
    )
    return Draws(classes, tries, tf.equal(found, num_sampled))


def _by_hashing(
    classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Adds what is new to the classes.

    Args:
      classes: `[S]`, of which `found` count.
      found: How many there are.
      drawn: What was drawn next.

    Returns:
      The classes; how many there would be were there room for all; and which draw was the last of
      S, if there are as many.
    """
    room = classes.shape[0]
    ids, positions = tf.unique(tf.concat([classes[:found], drawn], axis=0))
    missing = tf.maximum(room - tf.size(ids), 0)
    classes = tf.pad(ids[:room], [[0, missing]], constant_values=tf.constant(-1, tf.int64))
    last = tf.argmax(tf.equal(positions, room - 1), output_type=tf.int32) - found
    return tf.ensure_shape(classes, [room]), tf.size(ids), last


def _by_sorting(
    classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The same in XLA's terms, with shapes that depend on no value."""
    room = classes.shape[0]
    ids = tf.concat([classes, drawn], axis=0)
    size = ids.shape[0]
    order = tf.argsort(ids, stable=True)  # equal ids stay in the order they were drawn in
    ordered = tf.gather(ids, order)
    differs = tf.concat([[True], tf.not_equal(ordered[1:], ordered[:-1])], axis=0)
    new = differs & ((order < found) | (order >= room))
    positions = tf.sort(tf.where(new, order, size))[:room]
    kept = tf.gather(ids, tf.minimum(positions, size - 1))
    classes = tf.where(positions < size, kept, tf.constant(-1, tf.int64))
    return classes, tf.reduce_sum(tf.cast(new, tf.int32)), positions[-1] - room


def check(draws: Draws) -> Draws:
    """Fails where classes are missing; under XLA, which compiles no assertion, they are -1."""
    if draws.complete is None:
        return draws
    found = tf.math.count_nonzero(draws.classes >= 0)
    expected = f"no more classes than {MOST_TRIES} draws find"
    assertions = errors.require(draws.complete, "num_sampled", expected, found)
    return draws._replace(classes=errors.after(assertions, draws.classes))
