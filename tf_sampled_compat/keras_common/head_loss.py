"""The common part of the losses: it computes each example's loss and lets Keras reduce them."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.backends.interface import LossKind
from tf_sampled_compat.core.losses import full
from tf_sampled_compat.core.losses.description import Arguments, Composition
from tf_sampled_compat.keras_common import (
    bases,
    batch_rows,
    composition_config,
    head_output,
    ways_out,
)
from tf_sampled_compat.keras_common.private import in_symbolic_scope


class ComputedLosses(bases.Loss):
    """A Keras loss that receives computed losses as `y_pred`; Keras weighs, masks, reduces them.

    Args:
      loss: The loss that computed the values. This one copies its attributes: name, reduction,
        dtype, and all that `compile` set on it.
    """

    def __init__(self, loss: bases.Loss):
        vars(self).update(vars(loss))

    @tf.autograph.experimental.do_not_convert
    def call(self, y_true: Any, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns `y_pred`, the losses of the examples."""
        return y_pred


class HeadLoss(bases.Loss):
    """A loss of a `SampledDense` layer; a subclass adds the `Loss` of a Keras as its other base.

    A subclass computes the losses of `[N, dim]` inputs and `[N, num_true]` labels. Keras weighs,
    masks and reduces them.
    """

    # The Keras that the loss belongs to, and `ComputedLosses` in it.
    _keras: ClassVar[Any]
    _computed_losses: ClassVar[type[ComputedLosses]]
    # The loss of the logits.
    _kind: ClassVar[LossKind] = "softmax"

    def __init__(
        self,
        *,
        num_true: int,
        implementation: Optional[str],
        padding_label: Optional[int],
        ignore_class: Optional[int],
        margin: Any = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
        **kwargs: Any,
    ):
        ways_out.check(kwargs, ways_out.OF_A_LOSS)
        super().__init__(**kwargs)
        self.num_true = checks.known_size("num_true", num_true)
        self.implementation = implementation
        self.padding_label = _label("padding_label", padding_label)
        self.ignore_class = _label("ignore_class", ignore_class)
        self.margin = composition_config.margin(margin, self._keras)
        self.label_smoothing = checks.not_negative("label_smoothing", label_smoothing, below=1)
        self.z_loss = checks.not_negative("z_loss", z_loss)

    @tf.autograph.experimental.do_not_convert
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tf.Tensor:
        """Returns the loss of a batch, weighted, masked and reduced as Keras's own losses are.

        Args:
          y_true: `[...]` or `[..., num_true]` class ids.
          y_pred: `[..., num_classes]`: the output of a `SampledDense` layer.
          sample_weight: As for Keras's losses: a number, `[batch]` or `[...]`. With several true
            classes also `[..., num_true]`, the shape of y_true: a weight for each true class.
        """
        # Keras would cast the labels to a float dtype, which cannot hold every class id. So the
        # computed losses are passed in place of the labels too.
        values, mask, is_weighted = self._values(y_true, y_pred, sample_weight)
        if mask is not None:
            values._keras_mask = mask
        weights = None if is_weighted else batch_rows.expanded(sample_weight, values)
        return self._computed_losses(self)(values, values, weights)

    @tf.autograph.experimental.do_not_convert
    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Returns the losses of the examples: `[...]`."""
        return self._values(y_true, y_pred, None)[0]

    def _values(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[tf.Tensor, Any, bool]:
        """Returns the losses of the examples, `[...]`, their mask or None, and one thing more.

        It is whether Keras need not weigh: the losses contain the weights of the true classes.
        """
        if in_symbolic_scope():  # Only shapes matter.
            return tf.zeros(tf.shape(y_pred)[:-1]), batch_rows.mask_of(y_pred), True
        tag = head_output.find(y_pred, self)
        none = (self.padding_label, self.ignore_class)
        head_output.note(y_pred, head_output.LossNote(none, self.num_true, sample_weight))
        batch = batch_rows.rows_of(
            tag,
            y_true,
            self.num_true,
            mask=batch_rows.mask_of(y_pred),
            none=none,
            weights=sample_weight,
        )
        head = tag.head

        def losses(inputs: Any, labels: Any, mask: Any, weights: Any, negatives: Any) -> tf.Tensor:
            arguments = head.arguments(labels, inputs, self.num_true, None)
            more = {"true_mask": mask, "part_weights": weights}
            arguments = dataclasses.replace(arguments, **more)
            if tag.training:
                return self._trained(arguments, head, negatives)
            return self._exact(arguments, head)

        with tf.name_scope(self.name or type(self).__name__):
            values = batch.losses(losses)
        return batch_rows.like_hidden(values, tag), batch.mask, batch.label_weights is not None

    def _trained(
        self, arguments: Arguments, head: Any, negatives: Optional[tf.Tensor]
    ) -> tf.Tensor:
        """Returns `[N]` training losses, with the `[N, S]` negatives of the caller if there are."""
        raise NotImplementedError

    def _exact(self, arguments: Arguments, head: Any) -> tf.Tensor:
        """Returns `[N]` losses over all classes."""
        return full.full_loss(
            "sigmoid" if self._kind == "sigmoid" else "softmax",
            arguments,
            composition=Composition.checked(label_smoothing=self.label_smoothing),
            num_classes=head.num_classes,
            trains=False,
            implementation=self.implementation,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same loss again."""
        return {
            **super().get_config(),
            "num_true": self.num_true,
            "implementation": self.implementation,
            "padding_label": self.padding_label,
            "ignore_class": self.ignore_class,
            "margin": composition_config.serialize(self.margin, self._keras),
            "label_smoothing": self.label_smoothing,
            "z_loss": self.z_loss,
        }


def _label(argument: str, value: Optional[int]) -> Optional[int]:
    """Checks a label that is no class."""
    if value is None:
        return None
    checks.integer(argument, value)
    return int(value)
