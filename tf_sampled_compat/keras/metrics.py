"""Mirrors `keras.metrics`: exact rankings over all classes, streamed, in evaluation."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import metrics

__all__ = ["ExactMRR", "ExactRecallAtK", "MeanRank"]


@register
class ExactMRR(metrics.ExactMRR, KERAS.metrics.Mean):
    r"""The mean reciprocal rank of the true class (of several, of the one that ranks best).

    .. math:: \max_t \frac{1}{\text{rank}(y_t)}

    Computed over all classes without a matrix of logits; of equal logits the lower id ranks first.
    It is updated in evaluation only, and is NaN in `fit`.

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
    r"""The share of the true classes that are among the k of the highest logits.

    .. math:: \frac{1}{T} \sum_t [\text{rank}(y_t) \le k]

    Computed over all classes without a matrix of logits. It is updated in evaluation only, and is
    NaN in `fit`, where validation has it as `val_...`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.ExactRecallAtK(10)])
    >>> results = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0, return_dict=True)
    >>> sorted(results)
    ['exact_recall_at_10', 'loss']

    Args:
      k: How many classes count.
      name: The metric's name.
      dtype: As for any metric.

    Raises:
      ValueError: If k is not a positive integer; when updated, if y_pred is not the output of a
        `SampledDense` layer.

    Source: https://www.tensorflow.org/api_docs/python/tf/math/in_top_k, which counts ties in.
    """


@register
class MeanRank(metrics.MeanRank, KERAS.metrics.Mean):
    r"""The mean rank of the true class, or classes: 1 where its logit is the highest.

    .. math:: \frac{1}{T} \sum_t \text{rank}(y_t)

    Computed over all classes without a matrix of logits; of equal logits the lower id ranks first.
    It is updated in evaluation only, and is NaN in `fit`.

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
