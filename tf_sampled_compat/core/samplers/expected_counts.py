"""How often a class is expected among the candidates, and the probabilities it follows from."""

from __future__ import annotations

import math

import tensorflow as tf

from tf_sampled_compat.core.samplers.unique_draws import Draws
from tf_sampled_compat.core.tf.shapes import static_size_of


def expected_count(probability: tf.Tensor, num_sampled: int, draws: Draws) -> tf.Tensor:
    """Returns p * S if no draw was rejected, otherwise 1 - (1 - p) ** tries, in float32.

    Treats the observed number of tries as fixed, as TensorFlow does.

    Args:
      probability: p, the float64 probability of the class in one draw; NaN for ids out of range.
      num_sampled: S.
      draws: The draws. If they are incomplete the count is NaN.
    """
    without_rejection = probability * num_sampled
    tries = tf.cast(draws.num_tries, tf.float64)
    with_rejection = -tf.math.expm1(tries * tf.math.log1p(-probability))
    count = tf.where(tf.equal(draws.num_tries, num_sampled), without_rejection, with_rejection)
    if draws.complete is not None:
        count = tf.where(draws.complete, count, tf.constant(math.nan, tf.float64))
    return tf.cast(count, tf.float32)


def uniform(classes: tf.Tensor, range_max: int) -> tf.Tensor:
    """P(k) = 1 / range_max."""
    return tf.fill(tf.shape(classes), tf.constant(1 / range_max, tf.float64))


def log_uniform(classes: tf.Tensor, range_max: int) -> tf.Tensor:
    """P(k) = log((k + 2) / (k + 1)) / log(range_max + 1)."""
    ratio = 1 / (tf.cast(classes, tf.float64) + 1)
    return tf.math.log1p(ratio) / math.log1p(range_max)


def weighted(classes: tf.Tensor, cumulative: tf.Tensor) -> tf.Tensor:
    """P(k) = (cumulative[k] - cumulative[k - 1]) / cumulative[-1].

    An id out of range gets the probability of the nearest class.
    """
    size = static_size_of(cumulative, 0)
    inside = tf.clip_by_value(classes, 0, size - 1)
    before = tf.gather(cumulative, tf.maximum(inside - 1, 0))
    before = tf.where(inside > 0, before, tf.zeros_like(before))
    weight = tf.cast(tf.gather(cumulative, inside) - before, tf.float64)
    return weight / tf.cast(cumulative[-1], tf.float64)
