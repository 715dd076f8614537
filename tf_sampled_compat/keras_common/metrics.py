"""Exact ranking metrics over all classes, updated in evaluation only."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.losses import full
from tf_sampled_compat.keras_common import bases, batch_rows, head_output
from tf_sampled_compat.keras_common.private import in_symbolic_scope


class Ranking(bases.Mean):
    """The mean over examples of a value that a subclass computes; based on Keras's `Mean`."""

    @tf.autograph.experimental.do_not_convert
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds a batch to the mean, unless the head was called for training.

        Args:
          y_true: `[...]` or `[..., num_true]` class ids.
          y_pred: `[..., num_classes]`: the output of a `SampledDense` layer.
          sample_weight: `[batch]` or `[...]` weights. Masked values have weight zero.
        """
        if in_symbolic_scope():
            return None
        tag = head_output.find(y_pred, self)
        if tag.training:
            return None
        mask = batch_rows.mask_of(y_pred)
        values = batch_rows.like_hidden(self._values(tag, y_true, mask), tag)
        return super().update_state(values, _weights(values, mask, sample_weight))

    def result(self) -> tf.Tensor:
        """Returns the mean, or NaN if no batch was evaluated."""
        count = tf.convert_to_tensor(self.count)
        mean = tf.convert_to_tensor(super().result())
        return tf.where(count > 0, mean, tf.constant(float("nan"), mean.dtype))

    def _values(self, tag: head_output.Tag, y_true: Any, mask: Any) -> tf.Tensor:
        """Returns a value for each of the N examples."""
        raise NotImplementedError


class ExactRecallAtK(Ranking):
    """The share of the true classes that are among the k classes with the highest logits."""

    def __init__(self, k: int = 10, name: Optional[str] = None, dtype: Any = None):
        self.k = checks.known_size("k", k)
        super().__init__(name=name or f"exact_recall_at_{k}", dtype=dtype)

    def _values(self, tag: head_output.Tag, y_true: Any, mask: Any) -> tf.Tensor:
        inputs, labels = batch_rows.rows(tag, y_true, None, mask)
        _, ids = full.full_top_k(
            inputs=inputs,
            k=self.k,
            num_classes=tag.head.num_classes,
            weights=tag.head.kernel,
            biases=tag.head.biases,
        )
        found = tf.reduce_any(tf.equal(labels[:, :, None], ids[:, None, :]), axis=2)
        return tf.reduce_mean(tf.cast(found, tf.float32), axis=1)

    def get_config(self) -> dict[str, Any]:
        """Describes the metric."""
        return {**super().get_config(), "k": self.k}


class ExactMRR(Ranking):
    """The mean reciprocal rank of each example's best-ranked true class."""

    def __init__(self, name: str = "exact_mrr", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)

    def _values(self, tag: head_output.Tag, y_true: Any, mask: Any) -> tf.Tensor:
        return 1.0 / tf.reduce_min(_ranks(tag, y_true, mask), axis=1)


class MeanRank(Ranking):
    """The mean rank of the true classes; the class with the highest logit has rank 1."""

    def __init__(self, name: str = "mean_rank", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)

    def _values(self, tag: head_output.Tag, y_true: Any, mask: Any) -> tf.Tensor:
        return tf.reduce_mean(_ranks(tag, y_true, mask), axis=1)


def _ranks(tag: head_output.Tag, y_true: Any, mask: Any) -> tf.Tensor:
    """Returns the `[N, T]` ranks as float32, computed once for all metrics of a batch."""
    key = id(y_true)
    if key not in tag.ranks:
        inputs, labels = batch_rows.rows(tag, y_true, None, mask)
        arguments = tag.head.arguments(labels, inputs, labels.shape[1], None)
        ranks = full.ranks(arguments, num_classes=tag.head.num_classes)
        # Keep y_true alive, so that no other tensor can get its id.
        tag.ranks[key] = (y_true, tf.cast(ranks, tf.float32))
    return tag.ranks[key][1]


def _weights(values: tf.Tensor, mask: Any, sample_weight: Any) -> Any:
    """Returns the weights of the values: zero where they are masked."""
    if mask is None:
        return sample_weight
    weights = tf.cast(mask, values.dtype)
    if sample_weight is None:
        return weights
    sample_weight = tf.cast(sample_weight, values.dtype)
    while sample_weight.shape.rank < weights.shape.rank:
        sample_weight = tf.expand_dims(sample_weight, -1)
    return weights * sample_weight
