"""Mirrors `keras.metrics`: exact ranking metrics over all classes, updated in evaluation only."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import metrics

__all__ = ["ExactMRR", "ExactRecallAtK", "MeanRank"]


@register
class ExactMRR(metrics.ExactMRR, KERAS.metrics.Mean):
    r"""The mean reciprocal rank of each example's best-ranked true class.

    .. math:: \max_t \frac{1}{\text{rank}(y_t)}

    Computed over all classes without a matrix of logits. Among equal logits the lower id ranks
    first. The metric is updated in evaluation only; `fit` shows NaN for training.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.ExactMRR()])
    >>> loss, mrr = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      name: The metric's name.
      dtype: As for any metric.

    Raises:
      ValueError: When updated, if y_pred is not the output of a `SampledDense` layer.

    Source: https://www.tensorflow.org/ranking/api_docs/python/tfr/keras/metrics/MRRMetric.
    """


@register
class ExactRecallAtK(metrics.ExactRecallAtK, KERAS.metrics.Mean):
    r"""The share of the true classes that are among the k classes with the highest logits.

    .. math:: \frac{1}{T} \sum_t [\text{rank}(y_t) \le k]

    Computed over all classes without a matrix of logits. The metric is updated in evaluation only:
    `fit` shows NaN for training and the validation value as `val_...`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.ExactRecallAtK(10)])
    >>> results = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0, return_dict=True)
    >>> sorted(results)
    ['exact_recall_at_10', 'loss']

    Args:
      k: The number of top classes that count.
      name: The metric's name.
      dtype: As for any metric.

    Raises:
      ValueError: If k is not a positive integer. When updated, if y_pred is not the output of a
        `SampledDense` layer.

    Source: https://www.tensorflow.org/api_docs/python/tf/math/in_top_k, which counts ties as hits.
    """


@register
class MeanRank(metrics.MeanRank, KERAS.metrics.Mean):
    r"""The mean rank of the true classes; the class with the highest logit has rank 1.

    .. math:: \frac{1}{T} \sum_t \text{rank}(y_t)

    Computed over all classes without a matrix of logits. Among equal logits the lower id ranks
    first. The metric is updated in evaluation only; `fit` shows NaN for training.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.MeanRank()])
    >>> loss, rank = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      name: The metric's name.
      dtype: As for any metric.

    Raises:
      ValueError: When updated, if y_pred is not the output of a `SampledDense` layer.

    Source: the mean rank of link prediction, as in Bordes et al., 2013,
    "Translating Embeddings for Modeling Multi-relational Data".
    """
