"""Mirrors `tf_keras.losses`: sampled or exact in training, exact in evaluation."""

from tf_sampled_compat.keras_common import (
    composition_config,
    full_softmax,
    head_loss,
    in_batch_loss,
    losses,
    sampler_config,
)
from tf_sampled_compat.tf_keras.family import KERAS, register

__all__ = [
    "FullSoftmax",
    "InBatchSoftmax",
    "NCE",
    "RankSampledSoftmax",
    "SampledBinaryCrossentropy",
    "SampledSoftmax",
    "SampledSparseSoftmax",
]

sampler_config.register(register)
composition_config.register(register)


class _ComputedLosses(head_loss.ComputedLosses, KERAS.losses.Loss):
    """Passes computed losses to Keras, which weighs, masks and reduces them."""


class _Loss(KERAS.losses.Loss):
    """A loss of this Keras."""

    _keras = KERAS
    _computed_losses = _ComputedLosses


@register
class FullSoftmax(full_softmax.FullSoftmax, _Loss):
    """The softmax loss over all classes, in training too, without a matrix of logits.

    See `tf_sampled_compat.keras.losses.FullSoftmax`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.FullSoftmax(label_smoothing=0.1))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.losses.FullSoftmax`.
    """


@register
class InBatchSoftmax(in_batch_loss.InBatchSoftmax, _Loss):
    """The softmax loss of two towers over the candidates of the batch, in evaluation too.

    See `tf_sampled_compat.keras.losses.InBatchSoftmax`, which has the same arguments.

    >>> user, item = tf_keras.Input([4]), tf_keras.Input([6])
    >>> logits = tsc.tf_keras.layers.InBatchLogits()(
    ...     tf_keras.layers.Dense(8)(user), tf_keras.layers.Dense(8)(item))
    >>> model = tf_keras.Model([user, item], logits)
    >>> model.compile("sgd", tsc.tf_keras.losses.InBatchSoftmax())
    >>> history = model.fit([np.ones([32, 4]), np.ones([32, 6])], np.zeros(32), verbose=0)

    Source: `tf_sampled_compat.keras.losses.InBatchSoftmax`.
    """


@register
class NCE(losses.NCE, _Loss):
    """The NCE loss in training, the sum of all classes' sigmoid losses in evaluation.

    See `tf_sampled_compat.keras.losses.NCE`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.NCE(num_sampled=64))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.losses.NCE`.
    """


@register
class RankSampledSoftmax(losses.RankSampledSoftmax, _Loss):
    """The TAPAS loss in training, the softmax loss over all classes in evaluation.

    See `tf_sampled_compat.keras.losses.RankSampledSoftmax`, which has the same arguments.

    >>> loss = tsc.tf_keras.losses.RankSampledSoftmax(num_sampled=256, num_resampled=64)
    >>> cool = tf_keras.callbacks.LambdaCallback(
    ...     on_epoch_begin=lambda epoch, logs: setattr(loss, "resampling_temperature", 0.8**epoch))
    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", loss)
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), epochs=2, callbacks=[cool], verbose=0)
    >>> round(float(loss.resampling_temperature), 3)
    0.8

    Source: `tf_sampled_compat.keras.losses.RankSampledSoftmax`.
    """


@register
class SampledBinaryCrossentropy(losses.SampledBinaryCrossentropy, _Loss):
    """The binary cross entropy of the true classes and of sampled ones (BCE, gBCE) in training.

    See `tf_sampled_compat.keras.losses.SampledBinaryCrossentropy`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledBinaryCrossentropy(64, calibration=0.75))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.losses.SampledBinaryCrossentropy`.
    """


@register
class SampledSoftmax(losses.SampledSoftmax, _Loss):
    """The sampled softmax loss in training, the softmax loss over all classes in evaluation.

    See `tf_sampled_compat.keras.losses.SampledSoftmax`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64, sampler="uniform"))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.losses.SampledSoftmax`.
    """


@register
class SampledSparseSoftmax(losses.SampledSparseSoftmax, _Loss):
    """The sampled softmax loss for one true class per example; the exact one in evaluation.

    See `tf_sampled_compat.keras.losses.SampledSparseSoftmax`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSparseSoftmax(num_sampled=64))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.losses.SampledSparseSoftmax`.
    """
