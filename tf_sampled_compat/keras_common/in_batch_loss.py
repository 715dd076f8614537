"""The loss of two towers: the softmax over the candidates of the batch."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Optional

import tensorflow as tf

from tf_sampled_compat.core.losses.in_batch import in_batch_loss
from tf_sampled_compat.keras_common import bases, batch_rows, in_batch_output
from tf_sampled_compat.keras_common.head_loss import ComputedLosses
from tf_sampled_compat.keras_common.private import in_symbolic_scope


class InBatchSoftmax(bases.Loss):
    """The in-batch softmax loss of an `InBatchLogits` layer, in training and in evaluation."""

    _computed_losses: ClassVar[type[ComputedLosses]]

    def __init__(
        self,
        implementation: Optional[str] = None,
        name: Optional[str] = "in_batch_softmax",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.implementation = implementation

    @tf.autograph.experimental.do_not_convert
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tf.Tensor:
        """Returns the loss of a batch, weighted, masked and reduced as Keras's own losses are.

        Args:
          y_true: Ignored: each query's own candidate is its true class.
          y_pred: `[..., num_candidates]`: the output of an `InBatchLogits` layer.
          sample_weight: As for Keras's losses: a number, `[batch]` or `[...]`. A row of weight zero
            is no candidate of the others, and nothing learns it.
        """
        del y_true
        values = self._values(y_pred, sample_weight)
        mask = batch_rows.mask_of(y_pred)
        if mask is not None:
            values._keras_mask = mask
        weights = batch_rows.expanded(sample_weight, values)
        return self._computed_losses(self)(values, values, weights)

    @tf.autograph.experimental.do_not_convert
    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Returns the losses of the examples: `[...]`."""
        del y_true
        return self._values(y_pred, None)

    def _values(self, y_pred: Any, sample_weight: Any) -> tf.Tensor:
        if in_symbolic_scope():
            return tf.zeros(tf.shape(y_pred)[:-1])
        tag = in_batch_output.find(y_pred, self)
        loss = dataclasses.replace(
            tag.loss,
            mask=_mask(tag, sample_weight),
            learn=tag.training,
            implementation=self.implementation,
            name=self.name or type(self).__name__,
        )
        if tag.training and tag.steps is not None:
            tag.steps.next()
        leading = tag.queries.shape[:-1]
        values = tf.reshape(in_batch_loss(loss), tf.shape(tag.queries)[:-1])
        return tf.ensure_shape(values, leading)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same loss again."""
        return {**super().get_config(), "implementation": self.implementation}


def _mask(tag: in_batch_output.Tag, sample_weight: Any) -> Any:
    """Returns `[N]`: whether a row is neither masked nor of weight zero; None if all are so."""
    if sample_weight is None:
        return tag.loss.mask
    # `[batch]` weights hold for all time steps. After weights of two ranks, their rank is unknown.
    counts = tf.not_equal(sample_weight, 0)
    too_many = (counts.shape.rank or 0) > tag.queries.shape[:-1].rank
    if too_many and counts.shape[-1] != 1:
        return tag.loss.mask  # Keras reports weights whose shape does not fit.
    counts = tf.reshape(counts, [-1])
    size = tf.maximum(tf.size(counts), 1)
    counts = tf.repeat(counts, tf.shape(tag.loss.queries)[0] // size)
    return counts if tag.loss.mask is None else tf.logical_and(counts, tag.loss.mask)
