"""Class ids of any dtype become int64."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def as_class_ids(value: Any) -> tf.Tensor:
    """Casts class ids to int64, as TensorFlow casts labels: 1.5 becomes 1.

    `checks.ids_in_range` says whether they are in range.
    """
    return tf.cast(tf.convert_to_tensor(value), tf.int64)
