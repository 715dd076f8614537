"""Rows with fewer true classes than others: ragged labels and padding labels."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import booleans
from tf_sampled_compat.core.tf.shapes import with_shape


def rectangular(labels: Any, padding_label: Optional[int], num_true: int) -> Any:
    """Pads ragged labels to `[B, T]` and returns other labels unchanged."""
    if padding_label is not None:
        checks.integer("padding_label", padding_label)
    if not isinstance(labels, tf.RaggedTensor):
        return labels
    if padding_label is None:
        errors.fail("labels", "a tensor, or padding_label= for ragged labels", "a RaggedTensor")
    longest = tf.reduce_max(tf.concat([[0], tf.cast(labels.row_lengths(), tf.int32)], axis=0))
    fits = errors.require(
        longest <= num_true, "labels", f"rows of at most num_true = {num_true} classes", longest
    )
    padding = tf.cast(padding_label, labels.dtype)
    padded = labels.to_tensor(default_value=padding, shape=[None, num_true])
    return with_shape(errors.after(fits, padded), [None, num_true])


def true_mask(labels: tf.Tensor, padding_label: Optional[int], given: Any) -> tf.Tensor:
    """Returns `[B, T]`: whether an int64 label is a true class.

    Args:
      labels: `[B, T]`.
      padding_label: The label that is none, or None.
      given: The caller's `[B, T]` mask, or None.
    """
    if padding_label is None:
        return booleans("true_mask", given)
    there = tf.not_equal(labels, tf.constant(padding_label, tf.int64))
    return there if given is None else tf.logical_and(there, given)
