"""Exact metrics over all classes, updated in evaluation only."""

from __future__ import annotations

from typing import Any, ClassVar, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.keras_common.evaluated import Evaluated
from tf_sampled_compat.keras_common.exact_metric import AtK, ExactMetric


class ExactRecallAtK(AtK):
    """The share of the true classes that are among the k classes with the highest logits."""

    _short: ClassVar[str] = "exact_recall"

    def _values(self, batch: Evaluated) -> tf.Tensor:
        ids = batch.top_ids(self.k)
        found = tf.reduce_any(tf.equal(batch.labels[:, :, None], ids[:, None, :]), axis=2)
        return batch.mean_of_true(tf.cast(found, tf.float32))


class ExactPrecisionAtK(AtK):
    """The share of true classes among the k classes with the highest logits."""

    _short: ClassVar[str] = "exact_precision"

    def _values(self, batch: Evaluated) -> tf.Tensor:
        return tf.reduce_mean(_relevance(batch, self.k), axis=1)


class ExactNDCG(AtK):
    """The discounted gain of the k classes with the highest logits, as a share of the best one."""

    _short: ClassVar[str] = "exact_ndcg"

    def _values(self, batch: Evaluated) -> tf.Tensor:
        discounts = 1 / np.log2(np.arange(self.k) + 2)
        best = tf.constant(np.cumsum(discounts), tf.float32)
        discounts = tf.constant(discounts, tf.float32)
        weights = batch.label_weights
        if weights is None:
            gain = tf.linalg.matvec(_relevance(batch, self.k), discounts)
            return gain / tf.gather(best, _most_found(batch, self.k) - 1)
        of_classes = _each_class_once(batch, weights)
        gain = tf.linalg.matvec(_gains(batch, of_classes, self.k), discounts)
        most = min(self.k, of_classes.shape[1])
        ideal, _ = tf.math.top_k(of_classes, most)
        return tf.math.divide_no_nan(gain, tf.linalg.matvec(ideal, discounts[:most]))


class ExactMAP(AtK):
    """The mean average precision of the k classes with the highest logits."""

    _short: ClassVar[str] = "exact_map"

    def _values(self, batch: Evaluated) -> tf.Tensor:
        relevance = _relevance(batch, self.k)
        precision = tf.cumsum(relevance, axis=1) / tf.range(1, self.k + 1, dtype=tf.float32)
        total = tf.reduce_sum(precision * relevance, axis=1)
        return total / tf.cast(_most_found(batch, self.k), tf.float32)


class ExactMRR(ExactMetric):
    """The mean reciprocal rank of each example's best-ranked true class."""

    def __init__(
        self,
        name: str = "exact_mrr",
        dtype: Any = None,
        *,
        padding_label: Optional[int] = None,
    ):
        super().__init__(padding_label=padding_label, name=name, dtype=dtype)

    def _values(self, batch: Evaluated) -> tf.Tensor:
        return 1.0 / tf.reduce_min(batch.ranks(), axis=1)


class MeanRank(ExactMetric):
    """The mean rank of the true classes; the class with the highest logit has rank 1."""

    def __init__(
        self,
        name: str = "mean_rank",
        dtype: Any = None,
        *,
        padding_label: Optional[int] = None,
    ):
        super().__init__(padding_label=padding_label, name=name, dtype=dtype)

    def _values(self, batch: Evaluated) -> tf.Tensor:
        return batch.mean_of_true(batch.ranks())


class Perplexity(ExactMetric):
    """The exponential of the mean softmax loss over all classes."""

    def __init__(
        self,
        name: str = "perplexity",
        dtype: Any = None,
        *,
        padding_label: Optional[int] = None,
    ):
        super().__init__(padding_label=padding_label, name=name, dtype=dtype)

    def _values(self, batch: Evaluated) -> tf.Tensor:
        return batch.losses()

    def result(self) -> tf.Tensor:
        """Returns the perplexity, or NaN if no row was evaluated."""
        return tf.exp(super().result())


def _relevance(batch: Evaluated, k: int) -> tf.Tensor:
    """Returns `[M, k]`: 1 where the class at a place of the ranking is a true class, else 0."""
    same = tf.equal(batch.labels[:, :, None], batch.top_ids(k)[:, None, :])
    true = tf.logical_and(same, batch.there[:, :, None])
    return tf.cast(tf.reduce_any(true, axis=1), tf.float32)


def _most_found(batch: Evaluated, k: int) -> tf.Tensor:
    """Returns `[M]`: how many true classes k places can hold; at least 1.

    A list shows a class once. So a class that is several times among the labels counts once.
    """
    labels = tf.sort(tf.where(batch.there, batch.labels, tf.constant(-1, tf.int64)), axis=1)
    first = tf.not_equal(labels[:, 1:], labels[:, :-1])
    count = tf.math.count_nonzero(tf.logical_and(first, labels[:, 1:] >= 0), axis=1)
    count += tf.cast(tf.reduce_any(labels[:, :1] >= 0, axis=1), tf.int64)
    return tf.clip_by_value(count, 1, k)


def _gains(batch: Evaluated, weights: tf.Tensor, k: int) -> tf.Tensor:
    """Returns `[M, k]`: the weight of the class at a place of the ranking; 0 if it is not true."""
    same = tf.equal(batch.labels[:, :, None], batch.top_ids(k)[:, None, :])
    return tf.reduce_max(tf.where(same, weights[:, :, None], 0.0), axis=1)


def _each_class_once(batch: Evaluated, weights: tf.Tensor) -> tf.Tensor:
    """Returns `[M, T]` weights of which a class's first copy has the highest, and the others 0."""
    same = tf.equal(batch.labels[:, :, None], batch.labels[:, None, :])
    same = tf.logical_and(same, batch.there[:, :, None] & batch.there[:, None, :])
    highest = tf.reduce_max(tf.where(same, weights[:, None, :], 0.0), axis=2)
    before = np.tri(weights.shape[1], k=-1, dtype=bool)
    is_copy = tf.reduce_any(tf.logical_and(same, before), axis=2)
    return tf.where(is_copy, tf.zeros_like(highest), highest)
