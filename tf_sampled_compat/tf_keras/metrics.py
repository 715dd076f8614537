"""Mirrors `tf_keras.metrics`: exact metrics over all classes, in evaluation only."""

from tf_sampled_compat.keras_common import metrics
from tf_sampled_compat.tf_keras.family import KERAS, register

__all__ = [
    "ExactMAP",
    "ExactMRR",
    "ExactNDCG",
    "ExactPrecisionAtK",
    "ExactRecallAtK",
    "MeanRank",
    "Perplexity",
]


@register
class ExactMAP(metrics.ExactMAP, KERAS.metrics.Mean):
    """The mean average precision of the k classes with the highest logits.

    See `tf_sampled_compat.keras.metrics.ExactMAP`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64, num_true=2),
    ...               metrics=[tsc.tf_keras.metrics.ExactMAP(10)])
    >>> loss, value = model.evaluate(np.ones([8, 4]), np.ones([8, 2], int), verbose=0)

    Source: `tf_sampled_compat.keras.metrics.ExactMAP`.
    """


@register
class ExactMRR(metrics.ExactMRR, KERAS.metrics.Mean):
    """The mean reciprocal rank of each example's best-ranked true class.

    See `tf_sampled_compat.keras.metrics.ExactMRR`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.tf_keras.metrics.ExactMRR()])
    >>> loss, mrr = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.metrics.ExactMRR`.
    """


@register
class ExactNDCG(metrics.ExactNDCG, KERAS.metrics.Mean):
    """The normalised discounted cumulative gain of the k classes with the highest logits.

    See `tf_sampled_compat.keras.metrics.ExactNDCG`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.tf_keras.metrics.ExactNDCG(10)])
    >>> loss, value = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.metrics.ExactNDCG`.
    """


@register
class ExactPrecisionAtK(metrics.ExactPrecisionAtK, KERAS.metrics.Mean):
    """The share of true classes among the k classes with the highest logits.

    See `tf_sampled_compat.keras.metrics.ExactPrecisionAtK`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64, num_true=2),
    ...               metrics=[tsc.tf_keras.metrics.ExactPrecisionAtK(5)])
    >>> loss, value = model.evaluate(np.ones([8, 4]), np.ones([8, 2], int), verbose=0)

    Source: `tf_sampled_compat.keras.metrics.ExactPrecisionAtK`.
    """


@register
class ExactRecallAtK(metrics.ExactRecallAtK, KERAS.metrics.Mean):
    """The share of the true classes that are among the k classes with the highest logits.

    See `tf_sampled_compat.keras.metrics.ExactRecallAtK`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.tf_keras.metrics.ExactRecallAtK(10)])
    >>> results = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0, return_dict=True)
    >>> sorted(results)
    ['exact_recall_at_10', 'loss']

    Source: `tf_sampled_compat.keras.metrics.ExactRecallAtK`.
    """


@register
class MeanRank(metrics.MeanRank, KERAS.metrics.Mean):
    """The mean rank of the true classes; the class with the highest logit has rank 1.

    See `tf_sampled_compat.keras.metrics.MeanRank`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.tf_keras.metrics.MeanRank()])
    >>> loss, rank = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Source: `tf_sampled_compat.keras.metrics.MeanRank`.
    """


@register
class Perplexity(metrics.Perplexity, KERAS.metrics.Mean):
    """The exponential of the mean softmax loss over all classes.

    See `tf_sampled_compat.keras.metrics.Perplexity`, which has the same arguments.

    >>> model = tf_keras.Sequential([tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.tf_keras.metrics.Perplexity()])
    >>> loss, perplexity = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)
    >>> bool(np.isclose(perplexity, np.exp(loss), rtol=1e-4))
    True

    Source: `tf_sampled_compat.keras.metrics.Perplexity`.
    """
