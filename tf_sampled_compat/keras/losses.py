"""Mirrors `keras.losses`: sampled in training, exact in evaluation."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import head_loss, losses

__all__ = ["NCE", "RankSampledSoftmax", "SampledSoftmax", "SampledSparseSoftmax"]


class _ComputedLosses(head_loss.ComputedLosses, KERAS.losses.Loss):
    """Keras's weighting, masking and reduction of losses that have been computed."""


class _Loss(KERAS.losses.Loss):
    """A loss of this Keras."""

    _keras = KERAS
    _computed_losses = _ComputedLosses


@register
class NCE(losses.NCE, _Loss):
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


@register
class RankSampledSoftmax(losses.RankSampledSoftmax, _Loss):
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


@register
class SampledSoftmax(losses.SampledSoftmax, _Loss):
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


@register
class SampledSparseSoftmax(losses.SampledSparseSoftmax, _Loss):
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
