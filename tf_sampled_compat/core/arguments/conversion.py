"""Conversion to a tensor, with an error that names the argument."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.scalars import described


def as_tensor(
    argument: str,
    value: Any,
    expected: str = "a tensor or numbers",
    dtype: Optional[tf.DType] = None,
) -> tf.Tensor:
    """Does what `tf.convert_to_tensor` does, whose errors do not name the argument."""
    try:
        return tf.convert_to_tensor(value, dtype)
    except errors.ArgumentError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error).split("\n", 1)[0]
        got = f"{described(value)} ({described(reason)[1:-1]})"
        errors.fail(argument, expected, got, errors.ArgumentTypeError)


def booleans(argument: str, value: Any) -> tf.Tensor:
    """Converts a mask: booleans, or numbers, of which those that are not zero count as True."""
    mask = as_tensor(argument, value, "booleans")
    if mask.dtype == tf.string or not mask.dtype.is_numpy_compatible:
        got = f"dtype {mask.dtype.name}"
        errors.fail(argument, "booleans", got, errors.ArgumentTypeError)
    return tf.cast(mask, tf.bool)
