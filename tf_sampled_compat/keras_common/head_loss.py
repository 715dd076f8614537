"""The common part of the losses: it computes each example's loss and lets Keras reduce them."""

from __future__ import annotations

import functools
from typing import Any, ClassVar, Optional

import tensorflow as tf

from tf_sampled_compat.core.losses import full
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.keras_common import bases, batch_rows, head_output, sampler_config
from tf_sampled_compat.keras_common.private import in_symbolic_scope


class ComputedLosses(bases.Loss):
    """A Keras loss whose values are given as `y_pred`: Keras weighs, masks and reduces them.

    Args:
      loss: The loss that computed the values. This one has its name, reduction and dtype, and
        whatever else `compile` set on it.
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
    # The default sampler of the function that computes the loss.
    _own_sampler: ClassVar[str] = "log_uniform"

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
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_sampled = num_sampled
        self.num_true = num_true
        self.sampler = sampler_config.normalize(sampler)
        self.remove_accidental_hits = remove_accidental_hits
        self.seed = seed
        self.implementation = implementation
        self.padding_label = padding_label
        self.exclude_true = exclude_true
        self._learners: dict[int, LearnedUnigramSampler] = {}

    @tf.autograph.experimental.do_not_convert
    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tf.Tensor:
        """Returns the loss of a batch, weighted, masked and reduced as Keras's own losses are.

        Args:
          y_true: `[...]` or `[..., num_true]` class ids.
          y_pred: `[..., num_classes]`: the output of a `SampledDense` layer.
          sample_weight: As for Keras's losses: a number, `[batch]` or `[...]`.
        """
        # Keras would cast the labels to a float dtype, which cannot hold every class id. So it is
        # given the computed losses, in the place of the labels too.
        values = self.call(y_true, y_pred)
        mask = batch_rows.mask_of(y_pred)
        if mask is not None:
            values._keras_mask = mask
        return self._computed_losses(self)(values, values, sample_weight)

    @tf.autograph.experimental.do_not_convert
    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        """Returns the losses of the examples: `[...]`."""
        if in_symbolic_scope():
            return tf.zeros(tf.shape(y_pred)[:-1])
        tag = head_output.find(y_pred, self)
        inputs, labels = batch_rows.rows(tag, y_true, self.num_true, batch_rows.mask_of(y_pred))
        arguments = {"inputs": inputs, "labels": labels, **tag.head.table()}
        arguments.update(num_classes=tag.head.num_classes, implementation=self.implementation)
        arguments.update(padding_label=self.padding_label)
        with tf.name_scope(self.name or type(self).__name__):
            values = self._sampled(arguments, tag.head) if tag.training else self._exact(arguments)
        return batch_rows.like_hidden(values, tag)

    def _sampled(self, arguments: dict[str, Any], head: Any) -> tf.Tensor:
        """Returns `[N]` training losses."""
        sampler = None  # The default of the function that computes the loss.
        if self.sampler != self._own_sampler or private.in_xla_context():
            learner = functools.partial(self._learner, arguments["num_classes"])
            sampler = sampler_config.resolve(self.sampler, learner)
        if isinstance(sampler, LearnedUnigramSampler):
            head.kept.keep(sampler)
        return self._sampled_loss(
            num_sampled=self.num_sampled,
            sampled_values=None,
            sampler=sampler,
            remove_accidental_hits=self.remove_accidental_hits,
            exclude_true=self.exclude_true,
            seed=self.seed,
            name=None,
            **arguments,
        )

    def _learner(self, num_classes: int) -> LearnedUnigramSampler:
        """Returns the sampler that replaces "learned_unigram" under XLA.

        The loss has one for each number of classes.
        """
        if num_classes not in self._learners:
            with tf.init_scope():
                self._learners[num_classes] = LearnedUnigramSampler(num_classes, seed=self.seed)
        return self._learners[num_classes]

    def _sampled_loss(self, **arguments: Any) -> tf.Tensor:
        raise NotImplementedError

    def _exact(self, arguments: dict[str, Any]) -> tf.Tensor:
        """Returns `[N]` losses over all classes."""
        return full.softmax_loss(num_true=self.num_true, **arguments)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same loss again."""
        return {
            **super().get_config(),
            "num_sampled": self.num_sampled,
            "num_true": self.num_true,
            "sampler": sampler_config.serialize(self.sampler, self._keras),
            "remove_accidental_hits": self.remove_accidental_hits,
            "seed": self.seed,
            "implementation": self.implementation,
            "padding_label": self.padding_label,
            "exclude_true": self.exclude_true,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HeadLoss:
        """Makes a loss from what `get_config` returned."""
        sampler = sampler_config.deserialize(config["sampler"], cls._keras)
        return cls(**{**config, "sampler": sampler})
