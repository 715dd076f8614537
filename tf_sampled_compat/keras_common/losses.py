"""The losses: sampled where the head was called to train, over all classes elsewhere."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.losses import full, sampled
from tf_sampled_compat.core.samplers import default
from tf_sampled_compat.keras_common.head_loss import HeadLoss
from tf_sampled_compat.keras_common.temperature import Temperature


class SampledSoftmax(HeadLoss):
    """The sampled softmax loss in training, the softmax loss over all classes in evaluation.

    See `tf_sampled_compat.nn.sampled_softmax_loss` and `full_softmax_loss`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64, sampler="uniform"))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      num_sampled: How many classes to sample for the batch.
      num_true: The number of target classes of each example, each with probability 1 / num_true.
      sampler: "log_uniform" (classes sorted by decreasing frequency), "uniform", "learned_unigram"
        or "fixed_unigram"; a dictionary of a name and that sampler's options, as
        `{"name": "fixed_unigram", "unigrams": counts}`; a function of `tf_sampled_compat.random`,
        or a `functools.partial` of one; or any callable with their arguments and results.
      remove_accidental_hits: Whether a sampled class that is a target class of an example is left
        out of its sum.
      seed: The sampler's operation seed.
      implementation: "fused" (the C++ op), "composite" (TensorFlow's ops), or None to choose.
      padding_label: A label that stands for none, in rows with fewer than `num_true` true classes.
      exclude_true: Whether every candidate that is a true class of an example is left out of its
        sum, with the counts that negatives then have; see `tf_sampled_compat.nn`.
      **kwargs: `reduction` and `name`: as for any loss.

    Call arguments: `y_true` of shape `[...]` or `[..., num_true]`: class ids, of any integer dtype,
    which are never cast to a float; `y_pred`, the output of a `SampledDense`; `sample_weight`.

    Raises:
      ValueError: For an unknown sampler; when called, if y_pred is not the output of a
        `SampledDense` layer, and as `tf_sampled_compat.nn.sampled_softmax_loss`.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/sampled_softmax_loss.
    """

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
            num_sampled,
            num_true,
            sampler,
            remove_accidental_hits,
            seed,
            implementation,
            padding_label,
            exclude_true,
            name=name,
            **kwargs,
        )

    def _sampled_loss(self, **arguments: Any) -> tf.Tensor:
        return sampled.sampled_softmax_loss(num_true=self.num_true, **arguments)


class NCE(HeadLoss):
    """The NCE loss in training, the sum of all classes' sigmoid losses in evaluation.

    See `tf_sampled_compat.nn.nce_loss` and `full_sigmoid_loss`. The two differ in size, as do the
    numbers of classes they sum over: compare training losses with one another, and evaluations.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.NCE(num_sampled=64))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      num_sampled: How many classes to sample for the batch.
      num_true: The number of target classes of each example.
      sampler: See `SampledSoftmax`, as for the others.
      remove_accidental_hits: Whether a sampled class that is a target class of an example is left
        out of its sum: then it is the "sampled logistic" loss.
      seed: The sampler's operation seed.
      implementation: "fused", "composite" or None.
      padding_label: See `SampledSoftmax`.
      exclude_true: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax`.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/nce_loss.
    """

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
            num_sampled,
            num_true,
            sampler,
            remove_accidental_hits,
            seed,
            implementation,
            padding_label,
            exclude_true,
            name=name,
            **kwargs,
        )

    def _sampled_loss(self, **arguments: Any) -> tf.Tensor:
        return sampled.nce_loss(num_true=self.num_true, **arguments)

    def _exact(self, arguments: dict[str, Any]) -> tf.Tensor:
        return full.sigmoid_loss(num_true=self.num_true, **arguments)


class SampledSparseSoftmax(HeadLoss):
    """The sampled softmax loss of one true class each; the exact one in evaluation.

    See `tf_sampled_compat.nn.sampled_sparse_softmax_loss`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSparseSoftmax(num_sampled=64))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      num_sampled: How many classes to sample for the batch.
      sampler: See `SampledSoftmax`.
      remove_accidental_hits: Whether a sampled class that is the target class of an example is left
        out of its sum.
      seed: The sampler's operation seed.
      implementation: "fused", "composite" or None.
      padding_label: See `SampledSoftmax`.
      exclude_true: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax`.

    Source: `tf.contrib.nn.sampled_sparse_softmax_loss` of TensorFlow 1.15.
    """

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
            num_sampled,
            1,
            sampler,
            remove_accidental_hits,
            seed,
            implementation,
            padding_label,
            exclude_true,
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
    """The TAPAS loss in training, the softmax loss over all classes in evaluation.

    See `tf_sampled_compat.nn.rank_sampled_softmax_loss`: of `num_sampled` candidates the
    `num_resampled` that the batch finds most probable are kept.

    The temperature may change as training goes on, by assignment from a callback:

    >>> loss = tsc.keras.losses.RankSampledSoftmax(num_sampled=256, num_resampled=64)
    >>> cool = keras.callbacks.LambdaCallback(
    ...     on_epoch_begin=lambda epoch, logs: setattr(loss, "resampling_temperature", 0.8**epoch))
    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", loss)
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), epochs=2, callbacks=[cool], verbose=0)
    >>> round(float(loss.resampling_temperature), 3)
    0.8

    Args:
      num_sampled: How many classes to sample for the batch.
      num_resampled: How many of them to keep; less than `num_sampled`.
      num_true: The number of target classes of each example.
      sampler: See `SampledSoftmax`.
      resampling_temperature: A positive number, or a scalar variable of TensorFlow's or Keras's.
        The lower, the more the candidates follow the batch.
      remove_accidental_hits: Whether a kept class that is a target class of an example is left out
        of its sum.
      seed: The sampler's operation seed.
      implementation: "fused", "composite" or None.
      padding_label: See `SampledSoftmax`.
      exclude_true: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax` and `tf_sampled_compat.nn.rank_sampled_softmax_loss`.

    Source: arXiv:1707.03073; `tf.contrib.nn.rank_sampled_softmax_loss` of TensorFlow 1.15.
    """

    _own_sampler = default.FOR_TAPAS

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
            num_sampled,
            num_true,
            sampler,
            remove_accidental_hits,
            seed,
            implementation,
            padding_label,
            exclude_true,
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
