"""Cumulative sums of class weights in integers, so that every device draws the same classes.

Floating-point sums depend on the order of the terms, and XLA is free to choose it.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.tf.shapes import static_size_of

# The sum of all weights is below 2**TOTAL_BITS, so that its product with a 62-bit word is exact.
TOTAL_BITS = 61
_MANTISSA_BITS, _BIAS = 52, 1023  # of float64


def cumulative_constant(weights: np.ndarray) -> np.ndarray:
    """Returns the int64 cumulative sums of float32 weights; at least one must be positive.

    Weights are scaled by a power of two and rounded down, which changes each by less than 2**-59 of
    their sum.
    """
    exact = weights.astype(np.float64)
    _, exponent = np.frexp(exact.sum())
    scaled = np.floor(np.ldexp(exact, TOTAL_BITS - 1 - exponent)).astype(np.int64)
    # A class of positive weight can always be drawn, however small the weight is.
    return np.cumsum(np.maximum(scaled, (exact > 0).astype(np.int64)))


def cumulative(counts: tf.Tensor) -> tf.Tensor:
    """Returns the int64 cumulative sums of counts that only the running graph knows.

    Args:
      counts: `[C]`, with C static, of any integer or floating dtype. Integers are summed unscaled.
    """
    if counts.dtype.is_integer:
        return tf.cumsum(tf.cast(counts, tf.int64))
    exact = tf.cast(counts, tf.float64)
    # Read the exponent of the largest count from its bits: every count is below 2**exponent.
    bits = tf.bitcast(tf.reduce_max(exact), tf.int64)
    exponent = tf.bitwise.right_shift(bits, tf.constant(_MANTISSA_BITS, tf.int64)) - _BIAS + 1
    shift = TOTAL_BITS - 1 - static_size_of(counts, 0).bit_length() - exponent
    power = tf.bitcast((shift + _BIAS) * 2**_MANTISSA_BITS, tf.float64)
    scaled = tf.cast(tf.floor(exact * power), tf.int64)
    return tf.cumsum(tf.maximum(scaled, tf.cast(exact > 0, tf.int64)))


def checked_counts(value: TensorLike, range_max: int) -> tf.Tensor:
    """Converts the counts of a learned sampler, and checks that they can serve as weights."""
    counts = as_tensor("counts", value)
    if not (counts.dtype.is_integer or counts.dtype.is_floating):
        errors.fail("counts", "numbers", f"dtype {counts.dtype.name}", errors.ArgumentTypeError)
    expected = f"shape [{range_max}] (range_max)"
    if not counts.shape.is_compatible_with([range_max]):
        errors.fail("counts", expected, f"shape {counts.shape}")
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
