"""The losses: sampled if the head was called for training, over all classes otherwise."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends.interface import LossKind, SumKind
from tf_sampled_compat.core.losses import calibration as gbce
from tf_sampled_compat.core.losses import full
from tf_sampled_compat.core.losses.description import (
    Arguments,
    Composition,
    Resampling,
    Sampling,
)
from tf_sampled_compat.core.samplers import default
from tf_sampled_compat.keras_common import ways_out
from tf_sampled_compat.keras_common.sampled_head_loss import SampledHeadLoss
from tf_sampled_compat.keras_common.temperature import Temperature


class SampledSoftmax(SampledHeadLoss):
    """The sampled softmax loss in training, the softmax loss over all classes in evaluation."""

    @ways_out.needs("num_sampled")
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
        ignore_class: Optional[int] = None,
        margin: Any = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
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
            ignore_class=ignore_class,
            margin=margin,
            label_smoothing=label_smoothing,
            z_loss=z_loss,
            name=name,
            **kwargs,
        )


class NCE(SampledHeadLoss):
    """The NCE loss in training; in evaluation all classes' sigmoid losses, or the softmax loss."""

    _function: ClassVar[str] = "nce_loss"
    _kind: ClassVar[LossKind] = "sigmoid"

    @ways_out.needs("num_sampled")
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
        ignore_class: Optional[int] = None,
        evaluate_as: SumKind = "sigmoid",
        margin: Any = None,
        label_smoothing: float = 0.0,
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
            ignore_class=ignore_class,
            margin=margin,
            label_smoothing=label_smoothing,
            z_loss=0.0,
            name=name,
            **kwargs,
        )
        if evaluate_as not in ("sigmoid", "softmax"):
            errors.fail("evaluate_as", "'sigmoid' or 'softmax'", repr(evaluate_as))
        self.evaluate_as: SumKind = evaluate_as

    def _exact(self, arguments: Arguments, head: Any) -> tf.Tensor:
        """Returns `[N]` losses over all classes."""
        return full.full_loss(
            self.evaluate_as,
            arguments,
            composition=Composition.checked(label_smoothing=self.label_smoothing),
            num_classes=head.num_classes,
            trains=False,
            implementation=self.implementation,
        )

    def get_config(self) -> dict[str, Any]:
        """Describes the loss."""
        config = {**super().get_config(), "evaluate_as": self.evaluate_as}
        del config["z_loss"]
        return config


class SampledBinaryCrossentropy(SampledHeadLoss):
    """The binary cross entropy of the true and of sampled classes; of all classes in evaluation."""

    _function: ClassVar[str] = "sampled_binary_crossentropy"
    _kind: ClassVar[LossKind] = "sigmoid"
    _own_sampler: ClassVar[Optional[str]] = default.FOR_BINARY_CROSSENTROPY
    _subtract_log_q: ClassVar[bool] = False

    @ways_out.needs("num_sampled")
    def __init__(
        self,
        num_sampled: int,
        num_true: int = 1,
        calibration: float = 0.0,
        sampler: Any = "uniform",
        remove_accidental_hits: bool = True,
        seed: Optional[int] = None,
        implementation: Optional[str] = None,
        padding_label: Optional[int] = None,
        name: Optional[str] = "sampled_binary_crossentropy",
        ignore_class: Optional[int] = None,
        margin: Any = None,
        label_smoothing: float = 0.0,
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
            exclude_true=False,
            ignore_class=ignore_class,
            margin=margin,
            label_smoothing=label_smoothing,
            z_loss=0.0,
            name=name,
            **kwargs,
        )
        self.calibration = checks.not_negative("calibration", calibration)
        if self.calibration > 1:
            errors.fail("calibration", "a number in [0, 1]", calibration)

    def _power(self, sampling: Sampling) -> float:
        if self.sampler == "uniform":
            sampling = dataclasses.replace(sampling, sampler=None)
        return gbce.power(self.calibration, sampling)

    def _exact(self, arguments: Arguments, head: Any) -> tf.Tensor:
        """Returns `[N]` losses over all classes; each true class has the target 1."""
        targets = tf.ones_like(arguments.labels, tf.float32)
        return super()._exact(dataclasses.replace(arguments, label_weights=targets), head)

    def get_config(self) -> dict[str, Any]:
        """Describes the loss."""
        config = {**super().get_config(), "calibration": self.calibration}
        for name in ("exclude_true", "z_loss"):
            del config[name]
        return config


class SampledSparseSoftmax(SampledHeadLoss):
    """The sampled softmax loss for one true class per example; the exact one in evaluation."""

    _function: ClassVar[str] = "sampled_sparse_softmax_loss"
    _kind: ClassVar[LossKind] = "sparse_softmax"

    @ways_out.needs("num_sampled")
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
        ignore_class: Optional[int] = None,
        margin: Any = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
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
            ignore_class=ignore_class,
            margin=margin,
            label_smoothing=label_smoothing,
            z_loss=z_loss,
            name=name,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Describes the loss."""
        config = super().get_config()
        del config["num_true"]
        return config


class RankSampledSoftmax(SampledHeadLoss):
    """The TAPAS loss in training, the softmax loss over all classes in evaluation."""

    _function: ClassVar[str] = "rank_sampled_softmax_loss"
    _own_sampler: ClassVar[Optional[str]] = None

    @ways_out.needs("num_sampled")
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
        ignore_class: Optional[int] = None,
        margin: Any = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
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
            ignore_class=ignore_class,
            margin=margin,
            label_smoothing=label_smoothing,
            z_loss=z_loss,
            name=name,
            **kwargs,
        )
        self.num_resampled = checks.known_size("num_resampled", num_resampled)
        if self.num_resampled >= self.num_sampled:
            checks.resampling_sizes(self.num_sampled, self.num_resampled, self.num_sampled)
        self._temperature = Temperature(resampling_temperature, self._keras)

    @property
    def resampling_temperature(self) -> Any:
        """The variable that holds the temperature, or the value of the schedule.

        Assigning a number updates the variable.
        """
        return self._temperature.current()

    @resampling_temperature.setter
    def resampling_temperature(self, value: Any) -> None:
        self._temperature.assign(value)

    def _exact(self, arguments: Arguments, head: Any) -> tf.Tensor:
        self._temperature.follow(head.schedule_steps)
        return super()._exact(arguments, head)

    def _sampling_of(self, negatives: tf.Tensor, head: Any) -> Sampling:
        expected = "none, as RankSampledSoftmax chooses its candidates among those that it draws"
        errors.fail("negatives", expected, checks.kind(negatives))

    def _resampling(self, head: Any) -> Resampling:
        temperature = self._temperature.of_next_step(head.schedule_steps)
        return Resampling(num_resampled=self.num_resampled, temperature=temperature)

    def get_config(self) -> dict[str, Any]:
        """Describes the loss, with its current temperature or its schedule."""
        return {
            **super().get_config(),
            "num_resampled": self.num_resampled,
            "resampling_temperature": self._temperature.config(),
        }
