"""Mirrors `keras.losses`: sampled or exact in training, exact in evaluation."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import (
    composition_config,
    full_softmax,
    head_loss,
    in_batch_loss,
    losses,
    sampler_config,
)

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

    The loss of Keras's `SparseCategoricalCrossentropy(from_logits=True)` over a `Dense` layer: it
    samples nothing. Forward and backward it streams over the table, so that no `[batch, classes]`
    matrix is built. See `tf_sampled_compat.nn.full_softmax_loss`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.FullSoftmax(label_smoothing=0.1))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    The gradient of the kernel is dense, so each optimizer updates every class. In evaluation the
    loss is without the margin and the z-loss, as that of `SampledSoftmax`.

    Args:
      num_true: The number of target classes of each example, each with probability 1 / num_true.
      implementation: "fused" (the C++ op), "composite" (TensorFlow's ops), or None to choose.
      padding_label: See `SampledSoftmax`.
      ignore_class: See `SampledSoftmax`.
      margin: See `SampledSoftmax`.
      label_smoothing: How much of the target all classes share, in [0, 1), as in Keras's
        `CategoricalCrossentropy`.
      z_loss: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Call arguments: See `SampledSoftmax`.

    Raises:
      ValueError: If a number is out of its range. When called: see `SampledSoftmax`, and where
        `tf_sampled_compat.nn.full_softmax_loss` raises.

    Source: `keras.losses.SparseCategoricalCrossentropy`.
    """


@register
class InBatchSoftmax(in_batch_loss.InBatchSoftmax, _Loss):
    """The softmax loss of two towers over the candidates of the batch, in evaluation too.

    See `tf_sampled_compat.nn.in_batch_softmax_loss`, and `tsc.keras.layers.InBatchLogits`, which
    has the options. Only the layer's candidates are known, so `evaluate` computes the same loss as
    training, over the batch. It depends on the batch size: compare losses of one batch size.

    >>> user, item = keras.Input([4]), keras.Input([6])
    >>> logits = tsc.keras.layers.InBatchLogits()(
    ...     keras.layers.Dense(8)(user), keras.layers.Dense(8)(item))
    >>> model = keras.Model([user, item], logits)
    >>> model.compile("sgd", tsc.keras.losses.InBatchSoftmax())
    >>> history = model.fit([np.ones([32, 4]), np.ones([32, 6])], np.zeros(32), verbose=0)

    Args:
      implementation: "fused", "composite" or None.
      **kwargs: `reduction` and `name`: as for any loss.

    Call arguments: `y_true`, which is ignored, as each query's own candidate is its true class;
    `y_pred`, the output of an `InBatchLogits`; `sample_weight`. A row of weight zero is no
    candidate of the others, and nothing learns it.

    Raises:
      ValueError: When called: if y_pred is not the output of an `InBatchLogits` layer, and where
        `tf_sampled_compat.nn.in_batch_softmax_loss` raises.

    Source: `tfrs.tasks.Retrieval` of https://www.tensorflow.org/recommenders.
    """


@register
class NCE(losses.NCE, _Loss):
    """The NCE loss in training, the sum of all classes' sigmoid losses in evaluation.

    See `tf_sampled_compat.nn.nce_loss` and `full_sigmoid_loss`. They sum over different numbers of
    classes, so a training loss cannot be compared with an evaluation loss. `evaluate_as="softmax"`
    evaluates with `full_softmax_loss` instead, as the other losses do.

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
      ignore_class: See `SampledSoftmax`.
      evaluate_as: The loss over all classes in evaluation: "sigmoid", the sum of the sigmoid
        losses, or "softmax".
      margin: See `SampledSoftmax`.
      label_smoothing: ε in [0, 1): a target y becomes y (1 - ε) + ε / 2.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax`, and for an unknown `evaluate_as`.

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
      ignore_class: See `SampledSoftmax`.
      margin: See `SampledSoftmax`.
      label_smoothing: See `SampledSoftmax`.
      z_loss: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax` and `tf_sampled_compat.nn.rank_sampled_softmax_loss`.

    Source: arXiv:1707.03073; `tf.contrib.nn.rank_sampled_softmax_loss` of TensorFlow 1.15.
    """


@register
class SampledBinaryCrossentropy(losses.SampledBinaryCrossentropy, _Loss):
    """The binary cross entropy of the true classes and of sampled ones (BCE, gBCE) in training.

    In evaluation it is the sum of the binary cross entropies of all classes. See
    `tf_sampled_compat.nn.sampled_binary_crossentropy`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledBinaryCrossentropy(64, calibration=0.75))
    >>> history = model.fit(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      num_sampled: The number of classes to sample for the batch.
      num_true: The number of target classes of each example; each has the target 1.
      calibration: t in [0, 1]. Above 0 (gBCE) the power of the true classes' probability undoes the
        overconfidence of a model that has seen few negatives. It needs uniform candidates.
      sampler: See `SampledSoftmax`.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is one
        of the example's target classes.
      seed: The sampler's operation seed.
      implementation: "fused", "composite" or None.
      padding_label: See `SampledSoftmax`.
      ignore_class: See `SampledSoftmax`.
      margin: See `SampledSoftmax`.
      label_smoothing: ε in [0, 1): a target y becomes y (1 - ε) + ε / 2.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax`, and for a calibration outside of [0, 1].

    Source: Petrov and Macdonald, 2023, arXiv:2308.07192.
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
        or a `functools.partial` of one; or any callable with the same arguments and results. The
        files of the model hold its state, if it has one.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is one
        of the example's target classes.
      seed: The sampler's operation seed.
      implementation: "fused" (the C++ op), "composite" (TensorFlow's ops), or None to choose.
      padding_label: The label that fills a row with fewer than `num_true` true classes. A row of
        padding alone is ignored as by `ignore_class`.
      exclude_true: Whether to leave every true class of an example out of its negatives, and to
        adjust their expected counts; see `tf_sampled_compat.nn`.
      ignore_class: A label whose rows are left out of training and of the mean, as in Keras's
        `SparseCategoricalCrossentropy`.
      margin: What changes the cosines of the target classes in training, if the layer has
        `normalize=True`: a margin of `tsc.margins` or a function.
      label_smoothing: How much of the target all classes share, in [0, 1), as in Keras's
        `CategoricalCrossentropy`. In training the mean over all classes is estimated.
      z_loss: The factor of the squared logarithm of the partition function, in training.
      **kwargs: `reduction` and `name`: as for any loss.

    Call arguments: `y_true` of shape `[...]` or `[..., num_true]`, dense or ragged: class ids of an
    integer dtype, never cast to a float, or whole numbers of a floating one; `y_pred`, the output
    of a `SampledDense`; `sample_weight`, as in Keras, or a weight for each true class. Rows that
    are masked, or have the weight 0 or no true class, are seen by no sampler.

    Raises:
      ValueError: If the sampler is unknown, or a number is not positive. When called: if y_pred is
        not the output of a `SampledDense` layer, if labels have a fraction or another shape than
        y_pred, and where `tf_sampled_compat.nn.sampled_softmax_loss` raises.

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
      ignore_class: See `SampledSoftmax`.
      margin: See `SampledSoftmax`.
      label_smoothing: See `SampledSoftmax`.
      z_loss: See `SampledSoftmax`.
      **kwargs: `reduction` and `name`: as for any loss.

    Raises:
      ValueError: See `SampledSoftmax`.

    Source: `tf.contrib.nn.sampled_sparse_softmax_loss` of TensorFlow 1.15.
    """
