"""Mirrors `tf.nn` of TensorFlow 1.x (and `tf.compat.v1.nn`): `partition_strategy` is "mod".

On a PartitionedVariable "mod" reads the rows in a permuted order, as TensorFlow 1 does; it warns.
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments.typing import SampledValuesLike, TableLike, TensorLike
from tf_sampled_compat.core.losses.description import Arguments, SampledLoss, Sampling
from tf_sampled_compat.core.losses.sampled import sampled_loss
from tf_sampled_compat.core.samplers.tensorflow_kernels import (
    all_candidate_sampler,
    compute_accidental_hits,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)

__all__ = [
    "all_candidate_sampler",
    "compute_accidental_hits",
    "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler",
    "nce_loss",
    "sampled_softmax_loss",
    "uniform_candidate_sampler",
]


def sampled_softmax_loss(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Optional[SampledValuesLike] = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: Optional[str] = "sampled_softmax_loss",
    seed: Optional[int] = None,
) -> tf.Tensor:
    """Computes the sampled softmax training loss; see `tf_sampled_compat.nn.sampled_softmax_loss`.

    >>> pieces = [tf.zeros([17, 8]), tf.zeros([17, 8]), tf.zeros([16, 8])]
    >>> loss = tsc.compat.v1.nn.sampled_softmax_loss(
    ...     pieces, tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), 5, 50, partition_strategy="div")
    >>> loss.shape
    TensorShape([2])

    Source: https://www.tensorflow.org/api_docs/python/tf/compat/v1/nn/sampled_softmax_loss.
    """
    return sampled_loss(
        SampledLoss(
            function="sampled_softmax_loss",
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
                seed=seed,
            ),
            remove_accidental_hits=remove_accidental_hits,
            name=name,
        )
    )


def nce_loss(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Optional[SampledValuesLike] = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: Optional[str] = "nce_loss",
) -> tf.Tensor:
    """Computes the noise-contrastive estimation loss; see `tf_sampled_compat.nn.nce_loss`.

    >>> loss = tsc.compat.v1.nn.nce_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), 5, 50)
    >>> loss.shape
    TensorShape([2])

    Source: https://www.tensorflow.org/api_docs/python/tf/compat/v1/nn/nce_loss.
    """
    return sampled_loss(
        SampledLoss(
            function="nce_loss",
            kind="sigmoid",
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
            ),
            remove_accidental_hits=remove_accidental_hits,
            name=name,
        )
    )
