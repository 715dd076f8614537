"""Inversion sampling: maps uniform random words to classes, with integer arithmetic only.

The last bit of a floating-point logarithm or exponential differs between TensorFlow's kernels, XLA
and the C library. Close to the boundary between two classes that bit decides the class. Integer
products are the same everywhere.

A word w, uniform in [0, 2**62), represents u = w / 2**62. Its class is the one whose interval of
the cumulative distribution holds u, with u rounded by at most 2**-56. The float64 uniforms in
TensorFlow's kernels are rounded more coarsely.
"""

from __future__ import annotations

import functools
import math
from typing import Union

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.samplers.philox import WORD_BITS
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import static_size_of

# Up to here every product is exact. Also, a float64 cannot tell more classes apart.
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

    The power is computed as 2 ** (n + f) with an integer n and a fraction f of 56 bits. Two tables
    hold the powers for the first 22 bits of f. The remaining bits are so small that two terms of
    the exponential series suffice.
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
    # XLA's searchsorted compares every target with every sum, so search by bisection: the first
    # `below` sums are known not to exceed the target.
    size = static_size_of(cumulative, 0)
    below = tf.zeros_like(targets)
    for bit in reversed(range(size.bit_length())):
        next_ = below + 2**bit
        sums = tf.gather(cumulative, tf.minimum(next_, size) - 1)
        below = tf.where((next_ <= size) & (sums <= targets), next_, below)
    return below


def high_product(a: tf.Tensor, b: Union[int, tf.Tensor]) -> tf.Tensor:
    """Returns floor(a * b / 2**62) for a and b in [0, 2**62)."""
    b_high, b_low = (b >> _HALF, b & (2**_HALF - 1)) if isinstance(b, int) else _halves(b)
    a_high, a_low = _halves(a)
    # No sum reaches 2**63.
    middle = a_high * b_low + _right(a_low * b_low, _HALF)
    other_middle = a_low * b_high + _low(middle, _HALF)
    return a_high * b_high + _right(middle, _HALF) + _right(other_middle, _HALF)


def log2(n: int) -> int:
    """Returns floor(log2(n) * 2**56), bit by bit: squaring a number doubles its logarithm."""
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
    """Returns 2**61 * 2**(i / 2**11) and 2**61 * 2**(i / 2**22), each for all i < 2**11."""
    factors, factor = [], 2 << 61
    for _ in range(2 * _TABLE_BITS):  # 2**(1 / 2), 2**(1 / 4), ...
        factor = math.isqrt(factor << 61)
        factors.append(factor)
    return _products(factors[:_TABLE_BITS]), _products(factors[_TABLE_BITS:])


def _products(factors: list[int]) -> np.ndarray:
    """Returns, for each index, the product of the factors at its set bits, highest bit first."""
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
