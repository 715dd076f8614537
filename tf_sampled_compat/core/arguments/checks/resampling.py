"""Checks of TAPAS's resampling: its sizes and its temperature."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.checks.sizes import known_size
from tf_sampled_compat.core.arguments.checks.tensors import kind, numbers_only
from tf_sampled_compat.core.arguments.conversion import as_tensor


def temperature(value: Any) -> list[tf.Operation]:
    """Checks a resampling temperature, which divides the logits."""
    if value is None or isinstance(value, (str, bytes)):
        errors.fail("resampling_temperature", "a positive finite number", repr(value))
    value = as_tensor("resampling_temperature", value, "a positive finite number")
    numbers_only("resampling_temperature", value.dtype)
    value = value if value.dtype.is_floating else tf.cast(value, tf.float32)
    known = tf.get_static_value(value)
    if known is not None and known.ndim == 0 and not (known > 0 and math.isfinite(known)):
        errors.fail("resampling_temperature", "a positive finite number", known)
    if value.shape.rank not in (None, 0):
        errors.fail("resampling_temperature", "a scalar", kind(value))
    scalar = []
    if value.shape.rank is None:
        shape = tf.shape(value)
        scalar = errors.require(
            tf.equal(tf.size(shape), 0), "resampling_temperature", "a scalar", shape
        )
    good = tf.reduce_all(tf.logical_and(value > 0, tf.math.is_finite(value)))
    return scalar + errors.require(
        good, "resampling_temperature", "a positive finite number", value
    )


def resampling_sizes(num_sampled: Any, num_resampled: Any, num_classes: Any) -> None:
    """Checks that TAPAS has something to choose from."""
    sampled = known_size("num_sampled", num_sampled)
    resampled = known_size("num_resampled", num_resampled)
    classes = known_size("num_classes", num_classes)
    if sampled > classes:
        errors.fail("num_sampled", f"at most num_classes = {classes}", sampled)
    if sampled <= resampled:
        errors.fail("num_resampled", f"less than num_sampled = {sampled}", resampled)
