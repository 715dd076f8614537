"""Mirrors `tf.nn` of TensorFlow 0.12: `inputs` come before `labels`.

Three more things were otherwise then, and are so here:

* biases in pieces are looked up as "mod", whatever `partition_strategy` says;
* the weights of a PartitionedVariable are looked up as of the concatenated table, whatever it says,
  so that with biases partitioned too a class meets another one's bias (which is warned of);
* gradients flow into the expected counts of `sampled_values`.
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
    inputs: TensorLike,
    labels: TensorLike,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Optional[SampledValuesLike] = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: Optional[str] = "sampled_softmax_loss",
) -> tf.Tensor:
    """Computes the sampled softmax training loss; see `tf_sampled_compat.nn.sampled_softmax_loss`.

    >>> loss = tsc.compat.v0.nn.sampled_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), tf.ones([2, 8]), [[3], [7]], 5, 50)
    >>> loss.shape
    TensorShape([2])

    Source: `tf.nn` of TensorFlow 0.12.
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
                biases_partition_strategy="mod",
                contiguous_mod="concatenate",
                biases_contiguous_mod="permute",
            ),
            sampling=Sampling(
                num_sampled=num_sampled,
                num_classes=num_classes,
                sampled_values=sampled_values,
                stop_count_gradients=False,
            ),
            remove_accidental_hits=remove_accidental_hits,
            name=name,
        )
    )


def nce_loss(
    weights: TableLike,
    biases: TableLike,
    inputs: TensorLike,
    labels: TensorLike,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Optional[SampledValuesLike] = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: Optional[str] = "nce_loss",
) -> tf.Tensor:
    """Computes the noise-contrastive estimation loss; see `tf_sampled_compat.nn.nce_loss`.

    >>> loss = tsc.compat.v0.nn.nce_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), tf.ones([2, 8]), [[3], [7]], 5, 50)
    >>> loss.shape
    TensorShape([2])

    Source: `tf.nn` of TensorFlow 0.12.
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
                biases_partition_strategy="mod",
                contiguous_mod="concatenate",
                biases_contiguous_mod="permute",
            ),
            sampling=Sampling(
                num_sampled=num_sampled,
                num_classes=num_classes,
                sampled_values=sampled_values,
                stop_count_gradients=False,
            ),
            remove_accidental_hits=remove_accidental_hits,
            name=name,
        )
    )
