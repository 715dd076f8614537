"""How often a class is expected among the candidates."""

from __future__ import annotations

import math

import tensorflow as tf

from tf_sampled_compat.core.samplers.unique_draws import Draws
from tf_sampled_compat.core.tf.shapes import size_of


def expected_count(probability: tf.Tensor, num_sampled: int, draws: Draws) -> tf.Tensor:
    """Returns p * S where nothing was rejected, and else 1 - (1 - p) ** tries, in float32.

    As though there would have been as many tries in any case; TensorFlow's convention.

    Args:
      probability: p in one draw, float64; NaN where there is no such class.
      num_sampled: S.
      draws: What was drawn. If it is incomplete there is no count: NaN.
    """
    plain = probability * num_sampled
    tries = tf.cast(draws.num_tries, tf.float64)
    rejected = -tf.math.expm1(tries * tf.math.log1p(-probability))
    count = tf.where(tf.equal(draws.num_tries, num_sampled), plain, rejected)
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
    """P(k) = (cumulative[k] - cumulative[k - 1]) / cumulative[-1], 0 out of range."""
    size = size_of(cumulative, 0)
    inside = tf.clip_by_value(classes, 0, size - 1)
    before = tf.gather(cumulative, tf.maximum(inside - 1, 0))
    before = tf.where(inside > 0, before, tf.zeros_like(before))
    weight = tf.cast(tf.gather(cumulative, inside) - before, tf.float64)
    return weight / tf.cast(cumulative[-1], tf.float64)
