"""A ranking in which NaN comes last."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.tf import private


def top_k_with_nan(values: tf.Tensor, k: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Does what `tf.math.top_k` does, but ranks a NaN as -∞ (and returns it as NaN).

    TensorFlow's own ranking of numbers with a NaN among them has no defined order, and loses some
    of the highest. Among equals the lower place comes first: -∞ and NaN are equal, and so are the
    two zeros, of which XLA would put -0 last.

    Args:
      values: `[B, N]` numbers.
      k: How many to find, at most N.

    Returns:
      `[B, k]` values and `[B, k]` int32 places.
    """
    lowest = tf.constant(float("-inf"), values.dtype)
    # Nothing is more than a NaN or less than it. (TFLite has no op that asks for NaN.)
    known = tf.where(values > lowest, values, lowest)
    if private.in_xla_context():
        known = tf.where(tf.equal(known, 0), tf.zeros_like(known), known)
    _, places = tf.math.top_k(known, k=k)
    return tf.gather(values, places, batch_dims=1), places
