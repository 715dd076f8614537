"""Mirrors `keras.losses`: sampled in training, exact in evaluation."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import head_loss, losses

__all__ = ["NCE", "RankSampledSoftmax", "SampledSoftmax", "SampledSparseSoftmax"]


class _ComputedLosses(head_loss.ComputedLosses, KERAS.losses.Loss):
    """Passes computed losses to Keras, which weighs, masks and reduces them."""


class _Loss(KERAS.losses.Loss):
    """A loss of this Keras."""

    _keras = KERAS
    _computed_losses = _ComputedLosses


@register
class NCE(losses.NCE, _Loss):
    """The NCE loss in training, the sum of all classes' sigmoid losses in evaluation.

    See `tf_sampled_compat.nn.nce_loss` and `full_sigmoid_loss`. They sum over different numbers of
    classes, so a training loss cannot be compared with an evaluation loss.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.NCE(num_sampled=64))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      num_sampled: The number of classes to sample for the batch.
      num_true: The number of target classes of each example.
      sampler: See `SampledSoftmax`.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is one
        of the example's target classes. If so, this is the "sampled logistic" loss.
      seed: The sampler's operation seed.
      implementation: "fused", "composite" or None.
      padding_label: See `SampledSoftmax`.
      exclude_true: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax`.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/nce_loss.
    """


@register
class RankSampledSoftmax(losses.RankSampledSoftmax, _Loss):
    """The TAPAS loss in training, the softmax loss over all classes in evaluation.

    See `tf_sampled_compat.nn.rank_sampled_softmax_loss`: it samples `num_sampled` candidates and
    keeps the `num_resampled` that the batch finds most probable.

    A schedule or a callback may change the temperature during training:

    >>> cool = keras.optimizers.schedules.ExponentialDecay(1.0, decay_steps=100, decay_rate=0.8)
    >>> loss = tsc.keras.losses.RankSampledSoftmax(256, 64, resampling_temperature=cool)
    >>> loss = tsc.keras.losses.RankSampledSoftmax(num_sampled=256, num_resampled=64)
    >>> cool = keras.callbacks.LambdaCallback(
    ...     on_epoch_begin=lambda epoch, logs: setattr(loss, "resampling_temperature", 0.8**epoch))
    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", loss)
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), epochs=2, callbacks=[cool], verbose=0)
    >>> round(float(loss.resampling_temperature), 3)
    0.8

    Args:
      num_sampled: The number of classes to sample for the batch.
      num_resampled: The number of them to keep; less than `num_sampled`.
      num_true: The number of target classes of each example.
      sampler: See `SampledSoftmax`.
      resampling_temperature: A positive number, a scalar variable of TensorFlow or Keras, or a
        `LearningRateSchedule` of Keras, which follows the training steps of the head, also inside
        of `steps_per_execution`. The head saves how many there were. At a lower temperature the
        kept candidates follow the batch more closely.
      remove_accidental_hits: Whether to leave a kept class out of an example's sum if it is one of
        the example's target classes.
      seed: The sampler's operation seed.
      implementation: "fused", "composite" or None.
      padding_label: See `SampledSoftmax`.
      exclude_true: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax` and `tf_sampled_compat.nn.rank_sampled_softmax_loss`.

    Source: arXiv:1707.03073; `tf.contrib.nn.rank_sampled_softmax_loss` of TensorFlow 1.15.
    """


@register
class SampledSoftmax(losses.SampledSoftmax, _Loss):
    """The sampled softmax loss in training, the softmax loss over all classes in evaluation.

    See `tf_sampled_compat.nn.sampled_softmax_loss` and `full_softmax_loss`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64, sampler="uniform"))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      num_sampled: The number of classes to sample for the batch.
      num_true: The number of target classes of each example, each with probability 1 / num_true.
      sampler: "log_uniform" (classes sorted by decreasing frequency), "uniform", "learned_unigram"
        or "fixed_unigram"; a dictionary of a name and that sampler's options, such as
        `{"name": "fixed_unigram", "unigrams": counts}`; a function of `tf_sampled_compat.random`,
        or a `functools.partial` of one; or any callable with the same arguments and results.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is one
        of the example's target classes.
      seed: The sampler's operation seed.
      implementation: "fused" (the C++ op), "composite" (TensorFlow's ops), or None to choose.
      padding_label: The label that fills a row with fewer than `num_true` true classes.
      exclude_true: Whether to leave every true class of an example out of its negatives, and to
        adjust their expected counts; see `tf_sampled_compat.nn`.
      **kwargs: `reduction` and `name`: as for any loss.

    Call arguments: `y_true` of shape `[...]` or `[..., num_true]`: class ids of any integer dtype,
    never cast to a float; `y_pred`, the output of a `SampledDense`; `sample_weight`.

    Raises:
      ValueError: If the sampler is unknown. When called: if y_pred is not the output of a
        `SampledDense` layer, and where `tf_sampled_compat.nn.sampled_softmax_loss` raises.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/sampled_softmax_loss.
    """


@register
class SampledSparseSoftmax(losses.SampledSparseSoftmax, _Loss):
    """The sampled softmax loss for one true class per example; the exact one in evaluation.

    See `tf_sampled_compat.nn.sampled_sparse_softmax_loss`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSparseSoftmax(num_sampled=64))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      num_sampled: The number of classes to sample for the batch.
      sampler: See `SampledSoftmax`.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is the
        example's target class.
      seed: The sampler's operation seed.
      implementation: "fused", "composite" or None.
      padding_label: See `SampledSoftmax`.
      exclude_true: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax`.

    Source: `tf.contrib.nn.sampled_sparse_softmax_loss` of TensorFlow 1.15.
    """
