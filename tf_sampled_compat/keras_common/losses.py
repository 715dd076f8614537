"""The losses: sampled where the head was called to train, over all classes elsewhere."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.losses import full, sampled
from tf_sampled_compat.keras_common.head_loss import HeadLoss
from tf_sampled_compat.keras_common.temperature import Temperature


class SampledSoftmax(HeadLoss):
    """The sampled softmax loss in training, the softmax loss over all classes in evaluation."""

    def __init__(
        self,
        num_sampled: int,
        num_true: int = 1,
        sampler: Any = "log_uniform",
        remove_accidental_hits: bool = True,
        seed: Optional[int] = None,
        implementation: Optional[str] = None,
        padding_label: Optional[int] = None,
        exclude_true: bool = False,
        name: Optional[str] = "sampled_softmax",
        **kwargs: Any,
    ):
        super().__init__(
            num_sampled=num_sampled,
            num_true=num_true,
            sampler=sampler,
            remove_accidental_hits=remove_accidental_hits,
            seed=seed,
            implementation=implementation,
            padding_label=padding_label,
            exclude_true=exclude_true,
            name=name,
            **kwargs,
        )

    def _sampled_loss(self, **arguments: Any) -> tf.Tensor:
        return sampled.sampled_softmax_loss(num_true=self.num_true, **arguments)


class NCE(HeadLoss):
    """The NCE loss in training, the sum of all classes' sigmoid losses in evaluation."""

    def __init__(
        self,
        num_sampled: int,
        num_true: int = 1,
        sampler: Any = "log_uniform",
        remove_accidental_hits: bool = False,
        seed: Optional[int] = None,
        implementation: Optional[str] = None,
        padding_label: Optional[int] = None,
        exclude_true: bool = False,
        name: Optional[str] = "nce",
        **kwargs: Any,
    ):
        super().__init__(
            num_sampled=num_sampled,
            num_true=num_true,
            sampler=sampler,
            remove_accidental_hits=remove_accidental_hits,
            seed=seed,
            implementation=implementation,
            padding_label=padding_label,
            exclude_true=exclude_true,
            name=name,
            **kwargs,
        )

    def _sampled_loss(self, **arguments: Any) -> tf.Tensor:
        return sampled.nce_loss(num_true=self.num_true, **arguments)

    def _exact(self, arguments: dict[str, Any]) -> tf.Tensor:
        return full.sigmoid_loss(num_true=self.num_true, **arguments)


class SampledSparseSoftmax(HeadLoss):
    """The sampled softmax loss of one true class each; the exact one in evaluation."""

    def __init__(
        self,
        num_sampled: int,
        sampler: Any = "log_uniform",
        remove_accidental_hits: bool = True,
        seed: Optional[int] = None,
        implementation: Optional[str] = None,
        padding_label: Optional[int] = None,
        exclude_true: bool = False,
        name: Optional[str] = "sampled_sparse_softmax",
        **kwargs: Any,
    ):
        super().__init__(
            num_sampled=num_sampled,
            num_true=1,
            sampler=sampler,
            remove_accidental_hits=remove_accidental_hits,
            seed=seed,
            implementation=implementation,
            padding_label=padding_label,
            exclude_true=exclude_true,
            name=name,
            **kwargs,
        )

    def _sampled_loss(self, **arguments: Any) -> tf.Tensor:
        return sampled.sampled_sparse_softmax_loss(**arguments)

    def get_config(self) -> dict[str, Any]:
        """Describes the loss."""
        config = super().get_config()
        del config["num_true"]
        return config


class RankSampledSoftmax(HeadLoss):
    """The TAPAS loss in training, the softmax loss over all classes in evaluation."""

    _own_sampler = "learned_unigram"

    def __init__(
        self,
        num_sampled: int,
        num_resampled: int,
        num_true: int = 1,
        sampler: Any = "learned_unigram",
        resampling_temperature: Any = 1.0,
        remove_accidental_hits: bool = True,
        seed: Optional[int] = None,
        implementation: Optional[str] = None,
        padding_label: Optional[int] = None,
        exclude_true: bool = False,
        name: Optional[str] = "rank_sampled_softmax",
        **kwargs: Any,
    ):
        super().__init__(
            num_sampled=num_sampled,
            num_true=num_true,
            sampler=sampler,
            remove_accidental_hits=remove_accidental_hits,
            seed=seed,
            implementation=implementation,
            padding_label=padding_label,
            exclude_true=exclude_true,
            name=name,
            **kwargs,
        )
        self.num_resampled = num_resampled
        self._temperature = Temperature(resampling_temperature)

    @property
    def resampling_temperature(self) -> Any:
        """The variable that holds the temperature; numbers may be assigned."""
        return self._temperature.variable

    @resampling_temperature.setter
    def resampling_temperature(self, value: Any) -> None:
        self._temperature.assign(value)

    def _sampled_loss(self, **arguments: Any) -> tf.Tensor:
        return sampled.rank_sampled_softmax_loss(
            num_true=self.num_true,
            num_resampled=self.num_resampled,
            resampling_temperature=self._temperature.read(),
            **arguments,
        )

    def get_config(self) -> dict[str, Any]:
        """Describes the loss, with the temperature of the moment."""
        return {
            **super().get_config(),
            "num_resampled": self.num_resampled,
            "resampling_temperature": self._temperature.number(),
        }
