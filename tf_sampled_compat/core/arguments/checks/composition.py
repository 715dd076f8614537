"""Checks of the terms that a loss is composed of."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.checks.tensors import kind, numbers_only
from tf_sampled_compat.core.arguments.conversion import as_tensor


def not_negative(argument: str, value: Any, below: float = math.inf) -> float:
    """Checks a Python number in [0, below), and returns it."""
    expected = "a number >= 0" if below == math.inf else f"a number in [0, {below:g})"
    if isinstance(value, (bool, str, bytes)) or value is None:
        errors.fail(argument, expected, repr(value))
    known = tf.get_static_value(value) if tf.is_tensor(value) else value
    try:
        known = float(known)
    except (TypeError, ValueError):
        errors.fail(argument, expected, repr(value), errors.ArgumentTypeError)
    if not 0 <= known < below:
        errors.fail(argument, expected, known)
    return known


def margin(value: Any, normalize: bool) -> None:
    """Checks a margin, which changes cosines."""
    if value is None:
        return
    if not callable(value):
        expected = "a function of cosines, such as tsc.margins.ArcFace(0.5)"
        errors.fail("margin", expected, repr(value), errors.ArgumentTypeError)
    if not normalize:
        errors.fail("margin", "normalize=True beside it, as it changes cosines", "normalize=False")


def label_weights(
    value: Any, labels: tf.Tensor, mask: Any, dtype: tf.DType, most: float = math.inf
) -> tf.Tensor:
    """Converts `[B, T]` weights, which must be finite and in [0, most].

    Under XLA a bad weight becomes NaN.

    Args:
      value: The caller's weights.
      labels: `[B, T]`.
      mask: `[B, T]`: False where a label is padding, whose weight is ignored; or None.
      dtype: The dtype to return.
      most: The maximum.
    """
    weights = as_tensor("label_weights", value)
    numbers_only("label_weights", weights.dtype)
    shape = f"shape [batch_size, num_true] = {labels.shape}"
    if not weights.shape.is_compatible_with(labels.shape):
        errors.fail("label_weights", shape, kind(weights))
    weights = tf.cast(weights, dtype)
    same = []
    if not (weights.shape.is_fully_defined() and labels.shape.is_fully_defined()):
        equal = tf.reduce_all(tf.equal(tf.shape(weights), tf.shape(labels)))
        same = errors.require(equal, "label_weights", shape, tf.shape(weights))
    weights = errors.after(same, weights)
    if mask is not None:
        weights = tf.where(mask, weights, tf.zeros_like(weights))
    good = tf.logical_and(tf.math.is_finite(weights), weights >= 0)
    expected = "finite weights >= 0"
    if most < math.inf:
        good, expected = tf.logical_and(good, weights <= most), f"weights in [0, {most:g}]"
    checked = errors.require(tf.reduce_all(good), "label_weights", expected, weights)
    return errors.nan_unless(lambda: good, errors.after(checked, weights))
