"""Class ids of any dtype become int64."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import as_tensor


def as_class_ids(value: Any, argument: str = "labels") -> tf.Tensor:
    """Casts class ids to int64, as TensorFlow casts labels: 1.5 becomes 1.

    `checks.ids_in_range` says whether they are in range.
    """
    ids = as_tensor(argument, value)
    if ids.dtype == tf.string:
        errors.fail(
            argument,
            "integer class ids (keras.layers.StringLookup makes them from strings)",
            "strings",
            errors.ArgumentTypeError,
        )
    checks.numbers_only(argument, ids.dtype)
    return tf.cast(ids, tf.int64)
