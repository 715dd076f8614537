"""The common part of the exact metrics: which rows count, in evaluation only."""

from __future__ import annotations

from typing import Any, ClassVar, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.keras_common import bases, batch_rows, head_output
from tf_sampled_compat.keras_common.evaluated import Evaluated, evaluated, weighs_labels
from tf_sampled_compat.keras_common.private import in_symbolic_scope


class ExactMetric(bases.Mean):
    """The mean over rows of a value that a subclass computes; based on Keras's `Mean`.

    Attributes:
      evaluation_only: True: a training step does not update the metric, so in the logs of `fit` it
        is NaN, and only `val_...` has a value.
    """

    evaluation_only: ClassVar[bool] = True

    def __init__(self, *, padding_label: Optional[int], name: Optional[str], dtype: Any):
        if padding_label is not None:
            checks.integer("padding_label", padding_label)
        self.padding_label = None if padding_label is None else int(padding_label)
        super().__init__(name=name, dtype=dtype)

    @tf.autograph.experimental.do_not_convert
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds a batch to the mean, unless the head was called for training.

        Rows that are masked, have no true class or weigh nothing do not count, whatever is in them.

        Args:
          y_true: `[...]` or `[..., num_true]` class ids, dense or ragged.
          y_pred: `[..., num_classes]`: the output of a `SampledDense` layer.
          sample_weight: A number, `[batch]` or `[...]` weights; or `[..., num_true]`, a weight for
            each true class, of which one of weight 0 is none.
        """
        if in_symbolic_scope():
            return None
        tag = head_output.find(y_pred, self)
        if tag.training:
            return None
        loss = head_output.noted(y_pred)
        num_true = _num_true(y_true, tag, loss)
        # Keras gives the weights only to `weighted_metrics`.
        of_labels = weighs_labels(sample_weight, tag.hidden, num_true)
        from_loss = loss.sample_weight is not None and not of_labels
        batch = evaluated(
            tag,
            y_true,
            num_true,
            none=(self.padding_label, *loss.none),
            mask=batch_rows.mask_of(y_pred),
            weights=loss.sample_weight if from_loss else sample_weight,
            weigh=of_labels,
        )
        values, weights = self._values(batch), batch.weights(sample_weight)
        if weights is not None:
            values = tf.where(tf.equal(weights, 0), tf.zeros_like(values), values)
        return super().update_state(values, weights)

    def result(self) -> tf.Tensor:
        """Returns the mean, or NaN if no row was evaluated."""
        count = tf.convert_to_tensor(self.count)
        mean = tf.convert_to_tensor(super().result())
        return tf.where(count > 0, mean, tf.constant(float("nan"), mean.dtype))

    def _values(self, batch: Evaluated) -> tf.Tensor:
        """Returns a value for each of the M rows."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Describes the metric."""
        return {**super().get_config(), "padding_label": self.padding_label}


def _num_true(y_true: Any, tag: head_output.Tag, loss: head_output.LossNote) -> Optional[int]:
    """Returns the width of y_true, if it is known: of ragged labels, the loss pads them to it."""
    if isinstance(y_true, tf.RaggedTensor):
        return loss.num_true
    shape = tf.convert_to_tensor(y_true).shape
    return shape[-1] if shape.rank == tag.hidden.shape.rank else None


class AtK(ExactMetric):
    """A metric of the k classes with the highest logits."""

    # The metric's name, before "_at_" and k.
    _short: ClassVar[str]

    def __init__(
        self,
        k: int = 10,
        name: Optional[str] = None,
        dtype: Any = None,
        *,
        padding_label: Optional[int] = None,
    ):
        self.k = checks.known_size("k", k)
        name = name or f"{self._short}_at_{self.k}"
        super().__init__(padding_label=padding_label, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Describes the metric."""
        return {**super().get_config(), "k": self.k}
