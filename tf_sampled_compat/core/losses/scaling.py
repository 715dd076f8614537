"""What logits are scaled by: the norms of rows and inputs, and the temperature."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import as_tensor

_POSITIVE = "a positive finite number"


def unit(vectors: tf.Tensor) -> tf.Tensor:
    """Divides `[..., D]` vectors by max(‖v‖, 1e-12)."""
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-24)


def temperature(argument: str, value: Any) -> tf.Tensor:
    """Converts a temperature, which must be a positive finite scalar.

    Under XLA a bad one that only the run knows becomes NaN.
    """
    if value is None or isinstance(value, (str, bytes, bool)):
        errors.fail(argument, _POSITIVE, repr(value))
    value = as_tensor(argument, value, _POSITIVE)
    checks.numbers_only(argument, value.dtype)
    if value.shape.rank not in (None, 0):
        errors.fail(argument, "a scalar", checks.kind(value))
    value = value if value.dtype.is_floating else tf.cast(value, tf.float32)
    known = tf.get_static_value(value)
    if known is not None:
        if not (known > 0 and math.isfinite(known)):
            errors.fail(argument, _POSITIVE, known)
        return value
    good = tf.reduce_all(tf.logical_and(value > 0, tf.math.is_finite(value)))
    value = errors.after(errors.require(good, argument, _POSITIVE, value), value)
    return errors.nan_unless(lambda: good, value)
