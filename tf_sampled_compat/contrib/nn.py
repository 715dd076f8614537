"""Mirrors `tf.contrib.nn` of TensorFlow 1.15, signatures to the letter."""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.contrib.variants import (
    alpha_dropout,
    conv1d_transpose,
    deprecated_flipped_sigmoid_cross_entropy_with_logits,
    deprecated_flipped_softmax_cross_entropy_with_logits,
    deprecated_flipped_sparse_softmax_cross_entropy_with_logits,
    nth_element,
    scaled_softplus,
)
from tf_sampled_compat.core.arguments.typing import (
    SampledValuesLike,
    ScalarLike,
    TableLike,
    TensorLike,
)
from tf_sampled_compat.core.losses.description import Arguments, Resampling, SampledLoss, Sampling
from tf_sampled_compat.core.losses.sampled import sampled_loss

__all__ = [
    "alpha_dropout",
    "conv1d_transpose",
    "deprecated_flipped_sigmoid_cross_entropy_with_logits",
    "deprecated_flipped_softmax_cross_entropy_with_logits",
    "deprecated_flipped_sparse_softmax_cross_entropy_with_logits",
    "nth_element",
    "rank_sampled_softmax_loss",
    "sampled_sparse_softmax_loss",
    "scaled_softplus",
]


def rank_sampled_softmax_loss(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_sampled: int,
    num_resampled: int,
    num_classes: int,
    num_true: int,
    sampled_values: Optional[SampledValuesLike],
    resampling_temperature: ScalarLike,
    remove_accidental_hits: bool,
    partition_strategy: str,
    name: Optional[str] = None,
) -> tf.Tensor:
    """Computes TAPAS's loss; see `tf_sampled_compat.nn.rank_sampled_softmax_loss`.

    >>> loss = tsc.contrib.nn.rank_sampled_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), num_sampled=20,
    ...     num_resampled=5, num_classes=50, num_true=1, sampled_values=None,
    ...     resampling_temperature=1.0, remove_accidental_hits=True, partition_strategy="div")
    >>> loss.shape
    TensorShape([2])

    Source: `tf.contrib.nn` of TensorFlow 1.15.
    """
    return sampled_loss(
        SampledLoss(
            function="rank_sampled_softmax_loss",
            kind="softmax",
            arguments=Arguments(
                weights=weights,
                biases=biases,
                labels=labels,
                inputs=inputs,
                num_true=num_true,
                partition_strategy=partition_strategy,
                contiguous_mod="permute",
            ),
            sampling=Sampling(
                num_sampled=num_sampled,
                num_classes=num_classes,
                sampled_values=sampled_values,
                resampling=Resampling(
                    num_resampled=num_resampled, temperature=resampling_temperature
                ),
            ),
            remove_accidental_hits=remove_accidental_hits,
            name=name,
        )
    )


def sampled_sparse_softmax_loss(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_sampled: int,
    num_classes: int,
    sampled_values: Optional[SampledValuesLike] = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: Optional[str] = "sampled_sparse_softmax_loss",
) -> tf.Tensor:
    """Computes the loss of one class a row; see `tf_sampled_compat.nn.sampled_sparse_softmax_loss`.

    >>> loss = tsc.contrib.nn.sampled_sparse_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), 5, 50)
    >>> loss.shape
    TensorShape([2])

    Source: `tf.contrib.nn` of TensorFlow 1.15.
    """
    return sampled_loss(
        SampledLoss(
            function="sampled_sparse_softmax_loss",
            kind="sparse_softmax",
            arguments=Arguments(
                weights=weights,
                biases=biases,
                labels=labels,
                inputs=inputs,
                partition_strategy=partition_strategy,
                contiguous_mod="permute",
            ),
            sampling=Sampling(
                num_sampled=num_sampled,
                num_classes=num_classes,
                sampled_values=sampled_values,
            ),
            remove_accidental_hits=remove_accidental_hits,
            name=name,
        )
    )
