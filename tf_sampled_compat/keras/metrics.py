"""Mirrors `keras.metrics`: exact metrics over all classes, updated in evaluation only."""

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.keras_common import metrics

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
    r"""The mean average precision of the k classes with the highest logits.

    .. math:: \frac{1}{\min(k, n)} \sum_{i=1}^{k} [c_i \text{ is true}] \, P_i

    for n true classes, with c_i the class of rank i and P_i the share of true classes among the
    first i. A class that is several times in a row of `y_true` counts once. Ties, missing labels,
    masks and weights: as in `ExactRecallAtK`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64, num_true=2),
    ...               metrics=[tsc.keras.metrics.ExactMAP(10)])
    >>> loss, value = model.evaluate(np.ones([8, 4]), np.ones([8, 2], int), verbose=0)

    Args:
      k: The length of the list.
      name: The metric's name.
      dtype: As for any metric.
      padding_label: See `ExactRecallAtK`.

    Raises:
      ValueError: See `ExactRecallAtK`.

    Source: https://www.tensorflow.org/ranking/api_docs/python/tfr/keras/metrics/MeanAveragePrecisionMetric.
    With a list of k, the sum is divided by min(k, n), so that the best list has value 1.
    """


@register
class ExactMRR(metrics.ExactMRR, KERAS.metrics.Mean):
    r"""The mean reciprocal rank of each example's best-ranked true class.

    .. math:: \max_t \frac{1}{\text{rank}(y_t)}

    Computed over all classes without a matrix of logits. Ties, missing labels, masks and weights:
    as in `ExactRecallAtK`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.ExactMRR()])
    >>> loss, mrr = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      name: The metric's name.
      dtype: As for any metric.
      padding_label: See `ExactRecallAtK`.

    Raises:
      ValueError: See `ExactRecallAtK`.

    Source: https://www.tensorflow.org/ranking/api_docs/python/tfr/keras/metrics/MRRMetric.
    """


@register
class ExactNDCG(metrics.ExactNDCG, KERAS.metrics.Mean):
    r"""The normalised discounted cumulative gain of the k classes with the highest logits.

    .. math:: \sum_{i=1}^{k} \frac{[c_i \text{ is true}]}{\log_2(i + 1)} \Bigg/
        \sum_{i=1}^{\min(k, n)} \frac{1}{\log_2(i + 1)}

    for n true classes, with c_i the class of rank i. A class that is several times in a row of
    `y_true` counts once. Ties, missing labels, masks and weights: as in `ExactRecallAtK`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.ExactNDCG(10)])
    >>> loss, value = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      k: The length of the list.
      name: The metric's name.
      dtype: As for any metric.
      padding_label: See `ExactRecallAtK`.

    Raises:
      ValueError: See `ExactRecallAtK`.

    Source: https://www.tensorflow.org/ranking/api_docs/python/tfr/keras/metrics/NDCGMetric, with
    relevances of 0 and 1.
    """


@register
class ExactPrecisionAtK(metrics.ExactPrecisionAtK, KERAS.metrics.Mean):
    r"""The share of true classes among the k classes with the highest logits.

    .. math:: \frac{1}{k} \sum_{i=1}^{k} [c_i \text{ is true}]

    with c_i the class of rank i. A class that is several times in a row of `y_true` counts once.
    Ties, missing labels, masks and weights: as in `ExactRecallAtK`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64, num_true=2),
    ...               metrics=[tsc.keras.metrics.ExactPrecisionAtK(5)])
    >>> loss, value = model.evaluate(np.ones([8, 4]), np.ones([8, 2], int), verbose=0)

    Args:
      k: The length of the list.
      name: The metric's name.
      dtype: As for any metric.
      padding_label: See `ExactRecallAtK`.

    Raises:
      ValueError: See `ExactRecallAtK`.

    Source: https://www.tensorflow.org/ranking/api_docs/python/tfr/keras/metrics/PrecisionMetric.
    """


@register
class ExactRecallAtK(metrics.ExactRecallAtK, KERAS.metrics.Mean):
    r"""The share of the true classes that are among the k classes with the highest logits.

    .. math:: \frac{1}{T} \sum_t [\text{rank}(y_t) \le k]

    Computed over all classes without a matrix of logits. Among equal logits the lower id ranks
    first. The metric is updated in evaluation only (its attribute `evaluation_only` is True):
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
      padding_label: A label that means "no class", beside those of the model's loss.

    Call arguments: `y_true` of shape `[...]` or `[..., num_true]`, dense or ragged: class ids of
    any integer dtype; `y_pred`, the output of a `SampledDense`; `sample_weight` of shape `[batch]`
    or `[...]`, or `[..., num_true]` to weigh each true class. Rows that are masked, have no true
    class, or have weight 0 (here or in the model's loss) do not count.

    Raises:
      ValueError: If k is not a positive integer. When updated, if y_pred is not the output of a
        `SampledDense` layer, or a label is no class.

    Source: https://www.tensorflow.org/api_docs/python/tf/math/in_top_k, which counts ties as hits.
    """


@register
class MeanRank(metrics.MeanRank, KERAS.metrics.Mean):
    r"""The mean rank of the true classes; the class with the highest logit has rank 1.

    .. math:: \frac{1}{T} \sum_t \text{rank}(y_t)

    Computed over all classes without a matrix of logits. Ties, missing labels, masks and weights:
    as in `ExactRecallAtK`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.MeanRank()])
    >>> loss, rank = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)

    Args:
      name: The metric's name.
      dtype: As for any metric.
      padding_label: See `ExactRecallAtK`.

    Raises:
      ValueError: See `ExactRecallAtK`.

    Source: the mean rank of link prediction, as in Bordes et al., 2013,
    "Translating Embeddings for Modeling Multi-relational Data".
    """


@register
class Perplexity(metrics.Perplexity, KERAS.metrics.Mean):
    r"""The exponential of the mean softmax loss over all classes.

    .. math:: \exp\left(\frac{\sum_i w_i \ell_i}{\sum_i w_i}\right)

    with the loss of a row (a token), computed over blocks of classes:

    .. math:: \ell_i = \log \sum_c e^{z_{ic}} - \frac{1}{T} \sum_t z_{i y_t}

    The mean is over all rows of all batches, not over the batches. With several true classes, a
    row's loss is the mean over them. Missing labels, masks and weights: as in `ExactRecallAtK`.

    >>> model = keras.Sequential([tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64),
    ...               metrics=[tsc.keras.metrics.Perplexity()])
    >>> loss, perplexity = model.evaluate(np.ones([8, 4]), np.arange(8), verbose=0)
    >>> bool(np.isclose(perplexity, np.exp(loss), rtol=1e-4))
    True

    Args:
      name: The metric's name.
      dtype: As for any metric.
      padding_label: See `ExactRecallAtK`.

    Raises:
      ValueError: See `ExactRecallAtK`.

    Source: https://keras.io/keras_hub/api/metrics/perplexity.
    """
