"""A tag on in-batch logits, for the loss that needs no logits; see `head_output`."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.losses.in_batch import InBatchLoss
from tf_sampled_compat.keras_common.schedule_steps import ScheduleSteps

_ATTRIBUTE = "_tf_sampled_compat_in_batch_tag"


class Tag(NamedTuple):
    """The origin of in-batch logits.

    Attributes:
      loss: The flattened arguments of the loss. Its mask is Keras's.
      queries: `[..., dim]`, as the layer got them.
      training: Whether the layer was called for training.
      steps: Counts the training steps, if a schedule needs them.
    """

    loss: InBatchLoss
    queries: tf.Tensor
    training: bool
    steps: Optional[ScheduleSteps] = None


def attach(logits: tf.Tensor, tag: Tag) -> tf.Tensor:
    """Puts the tag on the logits and returns them."""
    setattr(logits, _ATTRIBUTE, tag)
    return logits


def find(y_pred: Any, user: Any) -> Tag:
    """Returns the tag of the `y_pred` of a loss.

    Raises:
      ArgumentError: If y_pred is not the output of an `InBatchLogits` layer.
    """
    tag = getattr(y_pred, _ATTRIBUTE, None)
    if tag is None:
        errors.fail(
            f"y_pred of {type(user).__name__}",
            "the very output of an InBatchLogits layer: let the model return "
            f"{type(user).__module__.rpartition('.')[0]}.layers.InBatchLogits()(queries, "
            "candidates, candidate_ids), and do not copy or cast it",
            y_pred,
        )
    return tag
