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
    r"""Computes a softmax loss with rank-based adaptive resampling (TAPAS), for training.

    A first pass scores `num_sampled` candidates against the whole batch,

    .. math::
        \text{score}(s) = \log \sum_i \exp(w_s \cdot x_i / \tau) + b_s / \tau,

    with :math:`\tau` the temperature, and keeps the `num_resampled` highest. A second pass computes
    the sampled softmax loss over those:

    .. math::
        \ell_i = -\tfrac{1}{T} \sum_t l_{i,t} +
            \log\Big(\sum_t e^{l_{i,t}} + \sum_s e^{l_{i,s}}\Big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    with T true classes t, the kept classes s, and Q(c) the expected count of class c in the first
    sample. For training only: evaluate with `tsc.nn.full_softmax_loss`.

    >>> loss = tsc.contrib.nn.rank_sampled_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), num_sampled=20,
    ...     num_resampled=5, num_classes=50, num_true=1, sampled_values=None,
    ...     resampling_temperature=1.0, remove_accidental_hits=True, partition_strategy="div")
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: The `[num_classes, dim]` class embeddings: a tensor, array or variable, a
        PartitionedVariable, or a list or tuple of pieces. It may be longer than `num_classes`.
      biases: The `[num_classes]` class biases, in the same forms.
      labels: `[batch_size, num_true]` integer ids of the true classes.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      num_sampled: The number of classes to sample for the batch.
      num_resampled: The number of them to keep; less than `num_sampled`.
      num_classes: The number of classes.
      num_true: T, the number of true classes of each example; each has probability 1 / T.
      sampled_values: `(sampled_candidates, true_expected_count, sampled_expected_count)` as a
        `*_candidate_sampler` returns them. None samples with `learned_unigram_candidate_sampler`
        and `unique=True`.
      resampling_temperature: A positive scalar: a number, tensor or variable. A lower temperature
        fits the kept classes more closely to the batch.
      remove_accidental_hits: Whether to leave a kept class that is a true class of an example
        out of that example's sum over s.
      partition_strategy: "mod" or "div": how class ids map to pieces. Of one piece both mean the
        same.
      name: A name for the operation.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: If an argument has a wrong type, shape, size or dtype, a label is not in
        [0, num_classes), `num_resampled` is not less than `num_sampled`, or the temperature is not
        positive and finite. Errors in values are also `tf.errors.InvalidArgumentError`s.

    Source: Bai, Goldman, Zhang, "TAPAS: Two-pass Approximate Adaptive Sampling for Softmax", 2017,
    arXiv:1707.03073; `tf.contrib.nn` of TensorFlow 1.15.
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
    r"""Computes the sampled softmax loss of examples with one true class each, for training.

    .. math::
        \ell_i = -l_{i} + \log\Big(e^{l_{i}} + \sum_s e^{l_{i,s}}\Big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    with the sampled classes s, and Q(c) the expected count of class c in the sample. For training
    only: evaluate with `tsc.nn.full_softmax_loss`.

    >>> loss = tsc.contrib.nn.sampled_sparse_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), 5, 50)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: The `[num_classes, dim]` class embeddings: a tensor, array or variable, a
        PartitionedVariable, or a list or tuple of pieces. It may be longer than `num_classes`.
      biases: The `[num_classes]` class biases, in the same forms.
      labels: `[batch_size, 1]` integer ids of the true classes.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      sampled_values: `(sampled_candidates, true_expected_count, sampled_expected_count)` as a
        `*_candidate_sampler` returns them. None samples with `log_uniform_candidate_sampler` and
        `unique=True`, which expects classes sorted by decreasing frequency.
      remove_accidental_hits: Whether to leave a sampled class that is a true class of an example
        out of that example's sum over s.
      partition_strategy: "mod" or "div": how class ids map to pieces. Of one piece both mean the
        same.
      name: A name for the operation.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: If an argument has a wrong type, shape, size or dtype, or a label is not in
        [0, num_classes). Errors in values are also `tf.errors.InvalidArgumentError`s.

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
