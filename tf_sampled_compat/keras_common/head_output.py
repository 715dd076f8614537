"""A tag on a head's logits, for the losses and metrics that need no logits.

Keras expects logits as y_pred. The tag names the layer and the inputs that produced them. A loss
that reads the tag does not use the logits. If nothing else does, TensorFlow prunes their
computation from the compiled step. (Keras tags the outputs of its softmax in the same way.)
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf import private

_ATTRIBUTE = "_tf_sampled_compat_tag"
_LOSS_ATTRIBUTE = "_tf_sampled_compat_loss"


class Tag(NamedTuple):
    """The origin of logits.

    Attributes:
      head: The `SampledDense` layer.
      hidden: `[..., dim]`, the input of the call.
      training: Whether the layer was called for training.
      shared: What the first metric of a batch computes and the others reuse.
      negatives: `[..., S]` class ids, the candidates of each row in training; or None.
    """

    head: Any
    hidden: tf.Tensor
    training: bool
    shared: dict
    negatives: Optional[tf.Tensor] = None


class LossNote(NamedTuple):
    """What the metrics of logits learn from the loss of the same logits.

    Attributes:
      none: The labels that are no class.
      num_true: The most true classes of a row, or None.
      sample_weight: The weights, which Keras does not give to all metrics.
    """

    none: tuple[Optional[int], ...] = ()
    num_true: Optional[int] = None
    sample_weight: Any = None


def attach(logits: tf.Tensor, tag: Tag) -> tf.Tensor:
    """Puts the tag on the logits and returns them."""
    setattr(logits, _ATTRIBUTE, tag)
    return logits


def is_training(training: Optional[Any]) -> bool:
    """Whether a layer was called for a training step.

    `training` is None if a Keras 3 model's `call` has no such argument, or if a training loop does
    not pass it. Then a recording gradient tape means training.
    """
    return private.is_recorded() if training is None else bool(training)


def tag_of(y_pred: Any) -> Optional[Tag]:
    """Returns the tag of a tensor, or None if it has none."""
    return getattr(y_pred, _ATTRIBUTE, None)


def find(y_pred: Any, user: Any) -> Tag:
    """Returns the tag of the `y_pred` of a loss or metric.

    Args:
      y_pred: The model's output.
      user: The loss or metric, for the message.

    Raises:
      ArgumentError: If y_pred is not the output of a `SampledDense` layer.
    """
    tag = tag_of(y_pred)
    if tag is None:
        errors.fail(
            f"y_pred of {type(user).__name__}",
            "the very output of a SampledDense layer: make "
            f"{type(user).__module__.rpartition('.')[0]}.layers.SampledDense(num_classes) the last "
            "layer of the model, with no activation or other layer after it, and do not copy or "
            "cast what it returns",
            y_pred,
        )
    return tag


def note(y_pred: Any, loss: LossNote) -> None:
    """Leaves a note for the metrics of the same y_pred. Keras calls them after the loss."""
    setattr(y_pred, _LOSS_ATTRIBUTE, loss)


def noted(y_pred: Any) -> LossNote:
    """Returns the loss's note, or an empty one if there is no loss of this package."""
    return getattr(y_pred, _LOSS_ATTRIBUTE, LossNote())
