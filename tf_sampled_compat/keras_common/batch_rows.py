"""Flattens a batch for losses and metrics: one row for each example or time step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.tf import private
from tf_sampled_compat.keras_common import own_negatives
from tf_sampled_compat.keras_common.head_output import Tag
from tf_sampled_compat.keras_common.labels import labels_of, rectangular


class Rows(NamedTuple):
    """The rows of a batch.

    Attributes:
      inputs: `[N, dim]`, in float32 or float64.
      labels: `[N, T]` int64 class ids.
      true_mask: `[N, T]`: whether a label is a true class; None if all are.
      seen: `[N]`: whether training sees a row; None if it sees all. The others are masked, have no
        true class, or weigh nothing.
      mask: `[...]`: Keras's mask, without the rows that have no true class; None if all count.
      label_weights: `[N, T]`: the weight of each true class; None if all are 1.
      negatives: `[N, S]`: the candidates of each row; None if the loss draws them.
    """

    inputs: tf.Tensor
    labels: tf.Tensor
    true_mask: Optional[tf.Tensor]
    seen: Optional[tf.Tensor]
    mask: Optional[tf.Tensor]
    label_weights: Optional[tf.Tensor]
    negatives: Optional[tf.Tensor] = None

    def losses(self, compute: Callable[..., tf.Tensor]) -> tf.Tensor:
        """Computes the losses of the rows that are seen; those of the others are 0.

        The others are taken out, so that no sampler sees them and they cost nothing. XLA, whose
        shapes are fixed, masks them.

        Args:
          compute: Returns `[M]` losses of `[M, dim]` inputs, `[M, T]` labels, their mask, their
            weights, and `[M, S]` negatives.

        Returns:
          `[N]` losses.
        """
        if self.seen is None:
            return compute(
                self.inputs, self.labels, self.true_mask, self.label_weights, self.negatives
            )
        if private.in_xla_context():
            return self._masked(compute, self.seen)
        there = tf.where(self.seen)
        inputs, labels, mask, weights, negatives = (
            None if part is None else tf.gather_nd(part, there)
            for part in (
                self.inputs,
                self.labels,
                self.true_mask,
                self.label_weights,
                self.negatives,
            )
        )
        if self.labels.shape[1] == 1:
            mask = None  # The rows that are left have a true class each.
        losses = compute(inputs, labels, mask, weights, negatives)
        shape = tf.shape(self.seen, out_type=tf.int64)
        return tf.ensure_shape(tf.scatter_nd(there, losses, shape), self.seen.shape)

    def _masked(self, compute: Callable[..., tf.Tensor], seen: tf.Tensor) -> tf.Tensor:
        column = seen[:, tf.newaxis]
        mask = tf.ones_like(self.labels, tf.bool) if self.true_mask is None else self.true_mask
        # A NaN of a row that is masked must not reach a gradient.
        inputs = tf.where(column, self.inputs, tf.zeros_like(self.inputs))
        mask = tf.logical_and(mask, column)
        losses = compute(inputs, self.labels, mask, self.label_weights, self.negatives)
        return tf.where(seen, losses, tf.zeros_like(losses))


def rows_of(
    tag: Tag,
    y_true: Any,
    num_true: Optional[int],
    *,
    mask: Any,
    none: Sequence[Optional[int]] = (),
    weights: Any = None,
) -> Rows:
    """Flattens a batch.

    Args:
      tag: The tag of y_pred, with the inputs `hidden` of shape `[..., dim]`.
      y_true: See `labels.labels_of`.
      num_true: The number of true classes of each example, or None to take it from y_true.
      mask: Keras's mask of y_pred, or None. Masked labels may have any value.
      none: The labels that are no class.
      weights: The `sample_weight`: a number, `[batch]` or `[...]`, or None. A row of weight 0 is
        not seen, and its labels may have any value. If there are several true classes, also
        `[..., num_true]`, dense or ragged: a weight for each. One of weight 0 is no true class.
    """
    hidden = tag.hidden
    if hidden.dtype not in (tf.float32, tf.float64):
        # Losses are computed in float32: a sum over all classes may overflow float16.
        hidden = tf.cast(hidden, tf.float32)
    inputs = tf.reshape(hidden, [-1, hidden.shape[-1]])
    mask = None if mask is None else tf.cast(mask, tf.bool)
    label_weights = _of_labels(weights, hidden, num_true)
    rows_weights = weights if label_weights is None else None
    seen = _both(_flat(mask), _flat(_not_zero(rows_weights, hidden)))
    labels, there = labels_of(y_true, hidden, num_true, none=none, seen=seen)
    if label_weights is not None:
        there = _both(there, tf.not_equal(label_weights, 0))
    if there is not None:
        some = tf.reduce_any(there, axis=1)
        seen = _both(seen, some)
        leading = tf.reshape(some, tf.shape(hidden)[:-1])
        mask = _both(mask, tf.ensure_shape(leading, hidden.shape[:-1]))
        labels = tf.where(there, labels, tf.zeros_like(labels))
    negatives = None if tag.negatives is None else own_negatives.flat(tag.negatives)
    return Rows(inputs, labels, there, seen, mask, label_weights, negatives)


def rows(tag: Tag, y_true: Any, num_true: Optional[int], mask: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `[N, dim]` inputs and `[N, num_true]` int64 labels; see `rows_of`."""
    flat = rows_of(tag, y_true, num_true, mask=mask)
    return flat.inputs, flat.labels


def expanded(sample_weight: Any, values: tf.Tensor) -> Any:
    """Returns the weights of examples, `[batch]`, as `[batch, 1]` where there are time steps.

    Keras 3 would multiply `[batch, steps]` losses by them step by step.
    """
    if sample_weight is None:
        return None
    weights = tf.convert_to_tensor(sample_weight)
    missing = (values.shape.rank or 1) - (weights.shape.rank or 0)
    if weights.shape.rank != 1 or missing <= 0:
        return sample_weight
    return tf.reshape(weights, [-1] + [1] * missing)


def mask_of(tensor: Any) -> Any:
    """Returns the mask that Keras attached to a tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def like_hidden(values: tf.Tensor, tag: Tag) -> tf.Tensor:
    """Reshapes `[N]` values to the leading dimensions of hidden, `[...]`."""
    hidden = tag.hidden
    shaped = tf.reshape(values, tf.shape(hidden)[:-1])
    return tf.ensure_shape(shaped, hidden.shape[:-1])


def _of_labels(weights: Any, hidden: tf.Tensor, num_true: Optional[int]) -> Optional[tf.Tensor]:
    """Returns the `[N, T]` weights of the true classes, or None if the weights are none."""
    if num_true is None or num_true == 1 or weights is None:
        return None
    if isinstance(weights, tf.RaggedTensor):
        weights, _ = rectangular(weights, hidden, num_true, "sample_weight")
    weights = tf.convert_to_tensor(weights)
    if weights.shape.rank != hidden.shape.rank or weights.shape[-1] != num_true:
        return None
    return tf.reshape(tf.cast(weights, hidden.dtype), [-1, num_true])


def _not_zero(weights: Any, hidden: tf.Tensor) -> Optional[tf.Tensor]:
    """Returns `[...]`: whether a row's weight is not zero; None if all have the same weight.

    Keras reports weights whose shape does not fit.
    """
    if weights is None:
        return None
    weights = tf.convert_to_tensor(weights)
    leading = hidden.shape[:-1].rank
    if weights.shape.rank == leading + 1 and weights.shape[-1] == 1:
        weights = tf.squeeze(weights, axis=-1)
    if weights.shape.rank is None or not 0 < weights.shape.rank <= leading:
        return None
    while weights.shape.rank < leading:
        weights = tf.expand_dims(weights, -1)
    sizes = zip(weights.shape, hidden.shape[:-1])
    if any(None not in (got, size) and got not in (1, size) for got, size in sizes):
        return None
    return tf.broadcast_to(tf.not_equal(weights, 0), tf.shape(hidden)[:-1])


def _flat(mask: Optional[tf.Tensor]) -> Optional[tf.Tensor]:
    return None if mask is None else tf.reshape(mask, [-1])


def _both(one: Optional[tf.Tensor], other: Optional[tf.Tensor]) -> Optional[tf.Tensor]:
    if one is None or other is None:
        return other if one is None else one
    return tf.logical_and(one, other)
