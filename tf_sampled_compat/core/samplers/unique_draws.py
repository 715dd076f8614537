"""Draws one after another, of which the first occurrences are kept until there are enough.

What TensorFlow's samplers do, and so exactly their distribution: not that of distinct classes among
a fixed number of draws, nor of the smallest ones.
"""

from __future__ import annotations

import functools
from typing import Callable, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers.philox import Stream
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

# Where TensorFlow's kernels end the process.
MOST_TRIES = 2**31 - 1
# Draws of a round for each class wanted. A Zipf-like law needs two to three where there are far
# more classes than wanted.
_DRAWS_PER_CLASS = 4

# Up to how many classes for each draw a table of them all is quicker than to sort the draws.
_TABLE_PER_DRAW = 64

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
    range_max: int,
    unique: bool,
    possible: Optional[tf.Tensor] = None,
) -> Draws:
    """Draws classes from the words of a stream.

    Args:
      stream: The words.
      invert: Makes classes of words.
      num_sampled: S.
      range_max: C.
      unique: Whether a class that was drawn before is rejected.
      possible: Whether there are S classes at all, where only the running graph knows.
    """
    if not unique:
        classes = invert(stream.words(0, num_sampled))
        return Draws(classes, tf.constant(num_sampled, tf.int64), None)
    size = 2 * max(_DRAWS_PER_CLASS * num_sampled // 2, 64)
    first_occurrences = _by_hashing
    if private.in_xla_context():
        first_occurrences = _by_sorting
        if range_max <= _TABLE_PER_DRAW * size:
            first_occurrences = functools.partial(_by_marking, range_max=range_max)
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
    room = size_of(classes, 0)
    ids, positions = tf.unique(tf.concat([classes[:found], drawn], axis=0))
    missing = tf.maximum(room - tf.size(ids), 0)
    classes = tf.pad(ids[:room], [[0, missing]], constant_values=tf.constant(-1, tf.int64))
    last = tf.argmax(tf.equal(positions, room - 1), output_type=tf.int32) - found
    return tf.ensure_shape(classes, [room]), tf.size(ids), last


def _by_marking(
    classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor, range_max: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The same in XLA's terms, where no shape depends on a value: by a table of all classes."""
    ids, counts = _joined(classes, found, drawn)
    size = size_of(ids, 0)
    positions = tf.range(size)
    marks = tf.where(counts, ids, range_max)
    firsts = tf.tensor_scatter_nd_min(
        tf.fill([range_max + 1], size), marks[:, tf.newaxis], positions
    )
    return _kept(ids, counts & tf.equal(tf.gather(firsts, marks), positions), size_of(classes, 0))


def _by_sorting(
    classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The same without the table."""
    ids, counts = _joined(classes, found, drawn)
    order = tf.argsort(ids, stable=True)  # equal ids stay in the order they were drawn in
    ordered = tf.gather(ids, order)
    differs = tf.concat([[True], tf.not_equal(ordered[1:], ordered[:-1])], axis=0)
    firsts = tf.scatter_nd(order[:, tf.newaxis], tf.cast(differs, tf.int32), ids.shape)
    return _kept(ids, counts & (firsts > 0), size_of(classes, 0))


def _joined(classes: tf.Tensor, found: tf.Tensor, drawn: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """All classes in their order, and which of them count."""
    ids = tf.concat([classes, drawn], axis=0)
    positions = tf.range(size_of(ids, 0))
    return ids, (positions < found) | (positions >= size_of(classes, 0))


def _kept(ids: tf.Tensor, new: tf.Tensor, room: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What is new, moved together, and the rest of what `_by_hashing` returns."""
    ranks = tf.cumsum(tf.cast(new, tf.int32)) - 1
    places = tf.where(new & (ranks < room), ranks, room)  # the last place is nobody's
    empty = tf.fill([room + 1], tf.constant(-1, tf.int64))
    classes = tf.tensor_scatter_nd_update(empty, places[:, tf.newaxis], ids)[:room]
    last = tf.argmax(new & tf.equal(ranks, room - 1), output_type=tf.int32) - room
    return classes, ranks[-1] + 1, last


def check(draws: Draws) -> Draws:
    """Fails where classes are missing; under XLA, which compiles no assertion, they are -1."""
    if draws.complete is None:
        return draws
    found = tf.math.count_nonzero(draws.classes >= 0)
    expected = f"no more classes than {MOST_TRIES} draws find"
    assertions = errors.require(draws.complete, "num_sampled", expected, found)
    return draws._replace(classes=errors.after(assertions, draws.classes))
