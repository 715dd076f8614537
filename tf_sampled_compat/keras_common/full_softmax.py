"""The softmax loss over all classes, in training too."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.losses import full
from tf_sampled_compat.core.losses.description import Arguments, Composition
from tf_sampled_compat.keras_common.head_loss import HeadLoss


class FullSoftmax(HeadLoss):
    """The softmax loss over all classes, without a matrix of logits."""

    def __init__(
        self,
        num_true: int = 1,
        implementation: Optional[str] = None,
        padding_label: Optional[int] = None,
        name: Optional[str] = "full_softmax",
        ignore_class: Optional[int] = None,
        margin: Any = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(
            num_true=num_true,
            implementation=implementation,
            padding_label=padding_label,
            ignore_class=ignore_class,
            margin=margin,
            label_smoothing=label_smoothing,
            z_loss=z_loss,
            name=name,
            **kwargs,
        )

    def _trained(
        self, arguments: Arguments, head: Any, negatives: Optional[tf.Tensor]
    ) -> tf.Tensor:
        if negatives is not None:
            expected = "none, as FullSoftmax has all classes as negatives"
            errors.fail("negatives", expected, checks.kind(negatives))
        return full.full_loss(
            "softmax",
            arguments,
            composition=Composition.checked(
                margin=self.margin,
                normalize=head.normalize,
                label_smoothing=self.label_smoothing,
                z_loss=self.z_loss,
            ),
            num_classes=head.num_classes,
            trains=True,
            implementation=self.implementation,
        )
