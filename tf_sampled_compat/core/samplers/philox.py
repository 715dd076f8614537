"""The random words that a stateless draw is made of: word i depends on the seed and on i alone.

They are the 64-bit words of Philox4x32-10 as TensorFlow's stateless ops key it, so whoever computes
a word, in whatever batch of them and on whatever device, gets the same one.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors

# A word is uniform in [0, 2**WORD_BITS): what is left of 64 bits once products of two halves, and
# their sums, shall fit into an int64 without a sign.
WORD_BITS = 62
# TensorFlow's constant, which a seed is scrambled under (`StatelessRandomGetKeyCounter`).
_SCRAMBLE_KEY = 0x3EC8F720 | 0x02461E29 << 32
_PHILOX = 1  # the value of the attribute `alg`


def checked_seed(seed: Any) -> tf.Tensor:
    """Converts a stateless seed to int64, and checks that it has two numbers."""
    seed = tf.convert_to_tensor(seed)
    if not seed.dtype.is_integer:
        errors.fail(
            "seed", "two integers, shape [2]", f"dtype {seed.dtype.name}", errors.ArgumentTypeError
        )
    if not seed.shape.is_compatible_with([2]):
        errors.fail("seed", "two integers, shape [2]", f"shape {seed.shape}")
    return tf.ensure_shape(tf.cast(seed, tf.int64), [2])


class Stream:
    """The words of a seed."""

    def __init__(self, seed: tf.Tensor):
        """Takes a `[2]` int64 seed."""
        # As StatelessRandomGetKeyCounter does it, which cannot be called: compiled by XLA it looks
        # at 32 bits of each number only, so that the words of a large seed would be others.
        key = tf.constant([_SCRAMBLE_KEY], tf.uint64)
        scrambled = _philox(2, key, tf.cast(seed, tf.uint64))
        self._key, self._high = scrambled[:1], scrambled[1:]

    def words(self, first: Any, count: int) -> tf.Tensor:
        """Returns `[count]` int64 words from word `first` on, an even number."""
        low = tf.reshape(tf.cast(first // 2, tf.uint64), [1])  # a block of Philox is two words
        bits = _philox(count, self._key, tf.concat([low, self._high], axis=0))
        shift = tf.constant(64 - WORD_BITS, tf.uint64)
        return tf.cast(tf.bitwise.right_shift(bits, shift), tf.int64)


def _philox(count: int, key: tf.Tensor, counter: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[count], key=key, counter=counter, alg=_PHILOX, dtype=tf.uint64
    )
