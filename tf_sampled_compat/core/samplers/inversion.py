"""From uniform words to classes, in integers alone.

Floating-point logarithms and exponentials differ in their last bit between TensorFlow's kernels,
XLA and the C library, and next to a boundary that makes another class. Products of integers do not
differ.

A word w, uniform in [0, 2**62), stands for u = w / 2**62, and the class is the largest k of which
the cumulative probability does not exceed u, up to a rounding of u by 2**-56: less than the
float64 uniforms of TensorFlow's kernels are rounded by.
"""

from __future__ import annotations

import functools
import math
from typing import Union

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.samplers.philox import WORD_BITS
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

# Every product must be exact; and a float64 tells no more classes apart.
RANGE_LIMIT = 2**53

_HALF = WORD_BITS // 2
_FRACTION_BITS = 56  # of log2(k + 1)
_TABLE_BITS = 11
_REST_BITS = _FRACTION_BITS - 2 * _TABLE_BITS
_LN2 = 3196577161300663914  # floor(ln 2 * 2**62)


def uniform(words: tf.Tensor, range_max: int) -> tf.Tensor:
    """Class floor(u * range_max): P(k) = 1 / range_max."""
    return high_product(words, range_max)


def log_uniform(words: tf.Tensor, range_max: int) -> tf.Tensor:
    """Class floor((range_max + 1) ** u) - 1: P(k) = log((k + 2) / (k + 1)) / log(range_max + 1).

    The power is 2 ** (n + f), n whole and f a fraction of 56 bits: the first 22 are looked up in
    two tables, the rest is so small that two terms of the exponential series are all of it.
    """
    exponent = high_product(words, log2(range_max + 1))
    whole = _right(exponent, _FRACTION_BITS)
    fraction = _low(exponent, _FRACTION_BITS)
    coarse, fine = (tf.constant(table) for table in power_tables())
    power = high_product(
        tf.gather(coarse, _right(fraction, _FRACTION_BITS - _TABLE_BITS)),
        tf.gather(fine, _low(_right(fraction, _REST_BITS), _TABLE_BITS)),
    )  # 2**60 <= power < 2**61
    # x = rest * ln 2 < 2**-22, and e**x - 1 = x + x**2 / 2 to 2**-68, both times 2**62.
    x = high_product(_low(fraction, _REST_BITS) * 2**6, _LN2)
    half = _right(x, 20)
    power += high_product(power, x + _right(half * half, 23))
    classes = tf.bitwise.right_shift(power, 60 - whole) - 1
    return tf.minimum(classes, range_max - 1)


def weighted(words: tf.Tensor, cumulative: tf.Tensor) -> tf.Tensor:
    """Class k with probability (cumulative[k] - cumulative[k - 1]) / cumulative[-1].

    Args:
      words: `[N]` words.
      cumulative: `[C]` int64 sums of the first weights, the last less than 2**62.
    """
    targets = high_product(words, cumulative[-1])
    if not private.in_xla_context():
        return tf.searchsorted(cumulative, targets, side="right", out_type=tf.int64)
    # XLA's searchsorted compares all with all. Of the sums `below` are known to be no more than the
    # target.
    size = size_of(cumulative, 0)
    below = tf.zeros_like(targets)
    for bit in reversed(range(size.bit_length())):
        next_ = below + 2**bit
        sums = tf.gather(cumulative, tf.minimum(next_, size) - 1)
        below = tf.where((next_ <= size) & (sums <= targets), next_, below)
    return below


def high_product(a: tf.Tensor, b: Union[int, tf.Tensor]) -> tf.Tensor:
    """floor(a * b / 2**62) for a and b in [0, 2**62)."""
    b_high, b_low = (b >> _HALF, b & (2**_HALF - 1)) if isinstance(b, int) else _halves(b)
    a_high, a_low = _halves(a)
    # No sum reaches 2**63.
    middle = a_high * b_low + _right(a_low * b_low, _HALF)
    other_middle = a_low * b_high + _low(middle, _HALF)
    return a_high * b_high + _right(middle, _HALF) + _right(other_middle, _HALF)


def log2(n: int) -> int:
    """floor(log2(n) * 2**56), bit by bit: the logarithm doubles as its number is squared."""
    precision = 192
    result = n.bit_length() - 1
    mantissa = n << precision >> result
    for _ in range(_FRACTION_BITS):
        mantissa = mantissa * mantissa >> precision
        carry = mantissa >> precision + 1
        mantissa >>= carry
        result = 2 * result + carry
    return result


@functools.cache
def power_tables() -> tuple[np.ndarray, np.ndarray]:
    """2**61 * 2**(i / 2**11) and 2**61 * 2**(i / 2**22), for i < 2**11."""
    factors, factor = [], 2 << 61
    for _ in range(2 * _TABLE_BITS):  # 2**(1 / 2), 2**(1 / 4), ...
        factor = math.isqrt(factor << 61)
        factors.append(factor)
    return _products(factors[:_TABLE_BITS]), _products(factors[_TABLE_BITS:])


def _products(factors: list[int]) -> np.ndarray:
    """The product of the factors that each index has bits for, the first for the highest."""
    table = [1 << 61]
    for factor in reversed(factors):
        table += [number * factor >> 61 for number in table]
    return np.array(table, np.int64)


def _halves(a: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return _right(a, _HALF), _low(a, _HALF)


def _right(a: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(a, tf.constant(bits, tf.int64))


def _low(a: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_and(a, tf.constant(2**bits - 1, tf.int64))
