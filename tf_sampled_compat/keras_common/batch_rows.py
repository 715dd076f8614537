"""Flattens a batch for losses and metrics: one row for each example or time step."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.keras_common.head_output import Tag


def rows(tag: Tag, y_true: Any, num_true: Optional[int], mask: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `[N, dim]` inputs and `[N, num_true]` int64 labels.

    Args:
      tag: The tag of y_pred, with the inputs `hidden` of shape `[..., dim]`.
      y_true: `[...]` or `[..., num_true]` class ids, of any dtype. They are never cast to a float:
        float32 cannot tell 16777217 from 16777216.
      num_true: The number of true classes of each example, or None to take it from y_true.
      mask: Keras's mask of y_pred, or None. Masked labels may have any value.
    """
    hidden = tag.hidden
    labels = as_class_ids(y_true)
    if hidden.dtype not in (tf.float32, tf.float64):
        # Losses are computed in float32: a sum over all classes may overflow float16.
        hidden = tf.cast(hidden, tf.float32)
    width = num_true or 1
    if labels.shape.rank is not None and labels.shape.rank == hidden.shape.rank:
        width = labels.shape[-1] or width
    elif labels.shape.rank is not None:
        width = 1
    labels = tf.reshape(labels, [-1, width])
    if mask is not None:
        seen = tf.reshape(tf.cast(mask, tf.bool), [-1, 1])
        labels = tf.where(seen, labels, tf.zeros_like(labels))
    return tf.reshape(hidden, [-1, hidden.shape[-1]]), labels


def mask_of(tensor: Any) -> Any:
    """Returns the mask that Keras attached to a tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def like_hidden(values: tf.Tensor, tag: Tag) -> tf.Tensor:
    """Reshapes `[N]` values to the leading dimensions of hidden, `[...]`."""
    hidden = tag.hidden
    shaped = tf.reshape(values, tf.shape(hidden)[:-1])
    return tf.ensure_shape(shaped, hidden.shape[:-1])
