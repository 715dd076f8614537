"""Mirrors `tf_keras.metrics`: exact ranking metrics over all classes, in evaluation only."""

from tf_sampled_compat.keras_common import metrics
from tf_sampled_compat.tf_keras.family import KERAS, register

__all__ = ["ExactMRR", "ExactRecallAtK", "MeanRank"]


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
