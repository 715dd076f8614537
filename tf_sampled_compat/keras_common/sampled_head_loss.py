"""The common part of the losses that are sampled in training, and exact in evaluation."""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.losses.description import (
    Arguments,
    Composition,
    Resampling,
    SampledLoss,
    Sampling,
)
from tf_sampled_compat.core.losses.sampled import sampled_loss
from tf_sampled_compat.core.samplers import default, saving
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.keras_common import own_negatives, sampler_config
from tf_sampled_compat.keras_common.head_loss import HeadLoss


class SampledHeadLoss(HeadLoss):
    """A sampled loss of a `SampledDense` layer."""

    # The function of `tsc.nn` that computes this loss.
    _function: ClassVar[str] = "sampled_softmax_loss"
    # The sampler that the function uses by default. TAPAS's is not saved, so the loss has another.
    _own_sampler: ClassVar[Optional[str]] = default.FOR_SAMPLED_LOSSES
    # Whether the logits are less the logarithm of the expected counts.
    _subtract_log_q: ClassVar[bool] = True

    def __init__(
        self,
        *,
        num_sampled: int,
        num_true: int,
        sampler: Any,
        remove_accidental_hits: bool,
        seed: Optional[int],
        implementation: Optional[str],
        padding_label: Optional[int],
        exclude_true: bool,
        ignore_class: Optional[int],
        margin: Any,
        label_smoothing: float,
        z_loss: float,
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
            **kwargs,
        )
        self.num_sampled = checks.known_size("num_sampled", num_sampled)
        self.sampler = sampler_config.normalize(sampler)
        self.remove_accidental_hits = remove_accidental_hits
        self.seed = seed
        self.exclude_true = exclude_true
        self._learners: dict[int, LearnedUnigramSampler] = {}

    def _trained(
        self, arguments: Arguments, head: Any, negatives: Optional[tf.Tensor]
    ) -> tf.Tensor:
        """Returns `[N]` training losses, with candidates that are drawn or `[N, S]` negatives."""
        if negatives is None:
            sampling = Sampling(
                num_sampled=self.num_sampled,
                num_classes=head.num_classes,
                sampler=self._sampler_of(head),
                seed=self.seed,
                resampling=self._resampling(head),
            )
        else:
            sampling = self._sampling_of(negatives, head)
        return sampled_loss(
            SampledLoss(
                function=self._function,
                kind=self._kind,
                arguments=arguments,
                sampling=sampling,
                remove_accidental_hits=self.remove_accidental_hits,
                exclude_true=self.exclude_true,
                subtract_log_q=self._subtract_log_q,
                composition=Composition.checked(
                    margin=self.margin,
                    normalize=head.normalize,
                    label_smoothing=self.label_smoothing,
                    z_loss=self.z_loss,
                    power=self._power(sampling),
                ),
                slices="unique",
                implementation=self.implementation,
            )
        )

    def _sampling_of(self, negatives: tf.Tensor, head: Any) -> Sampling:
        """Describes the negatives of the caller, `[N, S]`."""
        return own_negatives.sampling(negatives, head.num_classes)

    def _power(self, sampling: Sampling) -> Optional[float]:
        """Returns the power of a binary cross entropy, or None for the other losses."""
        return None

    def _resampling(self, head: Any) -> Optional[Resampling]:
        """Returns the options of TAPAS's second stage, or None for the other losses.

        Args:
          head: Counts the steps of a schedule.
        """
        return None

    def _sampler_of(self, head: Any) -> Any:
        """Returns the sampler for a head, or None for the loss's default.

        The head saves the state of a sampler that has one.
        """
        sampler_config.check_size(self.sampler, self.num_sampled, head.num_classes)
        is_default = isinstance(self.sampler, str) and self.sampler == self._own_sampler
        if is_default and not private.in_xla_context():
            return None  # TensorFlow's kernel, which the functions use by default.
        learner = functools.partial(self._learner, head.num_classes)
        sampler = sampler_config.resolve(self.sampler, learner)
        head.sampler_state.hold(sampler, head, self)
        return sampler

    def _learner(self, num_classes: int) -> LearnedUnigramSampler:
        """Returns the sampler that "learned_unigram" stands for: its counts are saved.

        The loss has one for each number of classes.
        """

        def make() -> None:
            if num_classes not in self._learners:
                with tf.init_scope():
                    self._learners[num_classes] = LearnedUnigramSampler(num_classes, seed=self.seed)

        # Made by one replica, it would not know the others.
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            context.merge_call(lambda strategy: make())
        else:
            make()
        return self._learners[num_classes]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same loss again."""
        return {
            **super().get_config(),
            "num_sampled": self.num_sampled,
            "sampler": sampler_config.serialize(self.sampler, self._keras),
            "remove_accidental_hits": self.remove_accidental_hits,
            "seed": self.seed,
            "exclude_true": self.exclude_true,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SampledHeadLoss:
        """Makes a loss from the result of `get_config`."""
        sampler = sampler_config.deserialize(saving.entry(config, "sampler"), cls._keras)
        return cls(**{**config, "sampler": sampler})
