"""Checks that class ids are rows of the tables."""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf import private


def class_id_limit(
    weights_rows: Optional[int], biases_rows: Optional[int]
) -> tuple[Optional[int], str]:
    """Returns the number of class ids, if it is known, and the range to name in a message.

    The limit is the number of rows: TensorFlow allows a table longer than `num_classes`.
    """
    known = [rows for rows in (weights_rows, biases_rows) if rows is not None]
    if not known:
        return None, ""
    expected = f"class ids in [0, {min(known)})"
    if min(known) != weights_rows:
        expected += f", as biases have {biases_rows} rows"
    return min(known), expected


def ids_in_range(
    argument: str, ids: tf.Tensor, weights_rows: Optional[int], biases_rows: Optional[int]
) -> list[tf.Operation]:
    """Checks class ids against the rows of the tables, where their sizes are known."""
    limit, expected = class_id_limit(weights_rows, biases_rows)
    if limit is None or private.in_xla_context():
        return []
    lowest, highest = tf.reduce_min(ids), tf.reduce_max(ids)
    return errors.require(
        tf.logical_and(lowest >= 0, highest < limit),
        argument,
        expected,
        tf.where(lowest < 0, lowest, highest),
    )
