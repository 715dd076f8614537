"""The random words behind stateless draws: word i depends on the seed and on i only.

They are the 64-bit words of Philox4x32-10, with the key that TensorFlow's stateless ops derive from
a seed. Each word is the same in every batch of words and on every device.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.arguments.typing import TensorLike

# A word is uniform in [0, 2**WORD_BITS). 62 bits: sums of half-word products stay within a
# non-negative int64.
WORD_BITS = 62
# TensorFlow scrambles seeds with this key (`StatelessRandomGetKeyCounter`).
_SCRAMBLE_KEY = 0x3EC8F720 | 0x02461E29 << 32
_PHILOX = 1  # The value of the attribute `alg`.


def checked_seed(value: TensorLike) -> tf.Tensor:
    """Converts a stateless seed to `[2]` int64, and checks that it is two integers."""
    seed = as_tensor("seed", value, "two integers, shape [2]")
    if not seed.dtype.is_integer:
        errors.fail(
            "seed", "two integers, shape [2]", f"dtype {seed.dtype.name}", errors.ArgumentTypeError
        )
    if not seed.shape.is_compatible_with([2]):
        errors.fail("seed", "two integers, shape [2]", f"shape {seed.shape}")
    return tf.ensure_shape(tf.cast(seed, tf.int64), [2])


class Stream:
    """The sequence of random words of a seed."""

    def __init__(self, seed: tf.Tensor):
        """Takes a `[2]` int64 seed."""
        # Does what StatelessRandomGetKeyCounter does. That op cannot be used: compiled by XLA it
        # reads only 32 bits of each number, so large seeds would give other words.
        key = tf.constant([_SCRAMBLE_KEY], tf.uint64)
        scrambled = _philox(2, key, tf.cast(seed, tf.uint64))
        self._key, self._high = scrambled[:1], scrambled[1:]

    def words(self, first: Any, count: Any) -> tf.Tensor:
        """Returns the `[count]` int64 words from word `first` on; `first` must be even."""
        low = tf.reshape(tf.cast(first // 2, tf.uint64), [1])  # One Philox block is two words.
        bits = _philox(count, self._key, tf.concat([low, self._high], axis=0))
        shift = tf.constant(64 - WORD_BITS, tf.uint64)
        return tf.cast(tf.bitwise.right_shift(bits, shift), tf.int64)


def _philox(count: Any, key: tf.Tensor, counter: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[count], key=key, counter=counter, alg=_PHILOX, dtype=tf.uint64
    )
