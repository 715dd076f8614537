"""Weights of classes as cumulative sums of integers, by which exactly the same classes are drawn.

Sums of floating-point numbers depend on their order, which XLA chooses as it likes.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf.shapes import size_of

# All weights together stay below 2**TOTAL_BITS, so that a word of 62 bits times their sum is exact.
TOTAL_BITS = 61
_MANTISSA_BITS, _BIAS = 52, 1023  # of float64


def cumulative_constant(weights: np.ndarray) -> np.ndarray:
    """Returns the int64 cumulative sums of float32 weights, of which one is positive.

    They are scaled by a power of two: to a 2**-60th of their sum, or better, they are themselves.
    """
    exact = weights.astype(np.float64)
    _, exponent = np.frexp(exact.sum())
    scaled = np.floor(np.ldexp(exact, TOTAL_BITS - 1 - exponent)).astype(np.int64)
    # What has a weight can be drawn, however small it is.
    return np.cumsum(np.maximum(scaled, (exact > 0).astype(np.int64)))


def cumulative(counts: tf.Tensor) -> tf.Tensor:
    """The same of counts that only the running graph knows.

    Args:
      counts: `[C]`, C known, of any integer or floating dtype.
    """
    if counts.dtype.is_integer:
        return tf.cumsum(tf.cast(counts, tf.int64))
    exact = tf.cast(counts, tf.float64)
    # Of the largest one's bits the exponent, so that each weight is below 2**exponent.
    bits = tf.bitcast(tf.reduce_max(exact), tf.int64)
    exponent = tf.bitwise.right_shift(bits, tf.constant(_MANTISSA_BITS, tf.int64)) - _BIAS + 1
    shift = TOTAL_BITS - 1 - size_of(counts, 0).bit_length() - exponent
    power = tf.bitcast((shift + _BIAS) * 2**_MANTISSA_BITS, tf.float64)
    scaled = tf.cast(tf.floor(exact * power), tf.int64)
    return tf.cumsum(tf.maximum(scaled, tf.cast(exact > 0, tf.int64)))


def checked_counts(counts: object, range_max: int) -> tf.Tensor:
    """Converts the counts of a learned sampler, and checks that they are weights."""
    counts = tf.convert_to_tensor(counts)
    if not (counts.dtype.is_integer or counts.dtype.is_floating):
        errors.fail("counts", "numbers", f"dtype {counts.dtype.name}", errors.ArgumentTypeError)
    expected = f"shape [{range_max}] (range_max)"
    if not counts.shape.is_compatible_with([range_max]):
        errors.fail("counts", expected, f"shape {counts.shape}")
    fits = []
    if not counts.shape.is_fully_defined():
        shape = tf.shape(counts)
        fits = errors.require(
            tf.reduce_all(tf.equal(shape, [range_max])), "counts", expected, shape
        )
        counts = errors.after(fits, counts)
        counts.set_shape([range_max])
    lowest, highest = tf.reduce_min(counts), tf.reduce_max(counts)
    good = lowest >= 0
    if counts.dtype.is_floating:
        good = good & tf.math.is_finite(highest) & tf.math.is_finite(lowest)
    assertions = errors.require(
        good, "counts", "finite counts that are not negative", tf.where(lowest < 0, lowest, highest)
    )
    assertions += errors.require(highest > 0, "counts", "at least one that is positive", highest)
    return errors.after(assertions, counts)
