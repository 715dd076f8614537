"""Mirrors `tf.nn` of TensorFlow 0.12: `inputs` come before `labels`.

TensorFlow 0.12 differs from 1.x in three more ways, which hold here too:

* The pieces of `biases` are looked up as "mod", whatever `partition_strategy` says.
* A PartitionedVariable of weights is read as the concatenated table, whatever `partition_strategy`
  says. If `biases` is one too, a class then gets the bias of another class; a warning says so.
* Gradients flow into the expected counts of `sampled_values`.
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
    r"""Computes the sampled softmax loss, a training loss for a softmax over many classes.

    .. math::
        \ell_i = -\tfrac{1}{T} \sum_t l_{i,t} +
            \log\Big(\sum_t e^{l_{i,t}} + \sum_s e^{l_{i,s}}\Big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    with T true classes t and the sampled classes s, and Q(c) the expected count of class c in the
    sample. For training only: evaluate with `tsc.nn.full_softmax_loss`.

    >>> loss = tsc.compat.v0.nn.sampled_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), tf.ones([2, 8]), [[3], [7]], 5, 50)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: The `[num_classes, dim]` class embeddings: a tensor, array or variable, a
        PartitionedVariable, or a list or tuple of pieces. It may be longer than `num_classes`.
      biases: The `[num_classes]` class biases, in the same forms.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      labels: `[batch_size, num_true]` integer ids of the true classes.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      num_true: T, the number of true classes of each example; each has probability 1 / T.
      sampled_values: `(sampled_candidates, true_expected_count, sampled_expected_count)` as a
        `*_candidate_sampler` returns them. None samples with `log_uniform_candidate_sampler` and
        `unique=True`, which expects classes sorted by decreasing frequency.
      remove_accidental_hits: Whether to leave a sampled class that is a true class of an example
        out of that example's sum over s.
      partition_strategy: "mod" or "div": how class ids map to the pieces of `weights`. The pieces
        of `biases` are always looked up as "mod", and a PartitionedVariable of weights as "div".
      name: A name for the operation.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: If an argument has a wrong type, shape, size or dtype, or a label is not in
        [0, num_classes). Errors in values are also `tf.errors.InvalidArgumentError`s.

    Source: `tf.nn` of TensorFlow 0.12; section 3 of Jean et al., 2014, arXiv:1412.2007.
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
            names="0.x",
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
    r"""Computes the noise-contrastive estimation loss, for training.

    .. math::
        \ell_i = \sum_t H\big(\tfrac{1}{T}, \sigma(l_{i,t})\big) +
            \sum_s H\big(0, \sigma(l_{i,s})\big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    with H the binary cross entropy, T true classes t and the sampled classes s, and Q(c) the
    expected count of class c in the sample. For training only: evaluate with
    `tsc.nn.full_sigmoid_loss`.

    >>> loss = tsc.compat.v0.nn.nce_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), tf.ones([2, 8]), [[3], [7]], 5, 50)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: The `[num_classes, dim]` class embeddings: a tensor, array or variable, a
        PartitionedVariable, or a list or tuple of pieces. It may be longer than `num_classes`.
      biases: The `[num_classes]` class biases, in the same forms.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      labels: `[batch_size, num_true]` integer ids of the true classes.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      num_true: T, the number of true classes of each example.
      sampled_values: `(sampled_candidates, true_expected_count, sampled_expected_count)` as a
        `*_candidate_sampler` returns them. None samples with `log_uniform_candidate_sampler` and
        `unique=True`, which expects classes sorted by decreasing frequency.
      remove_accidental_hits: Whether to leave a sampled class that is a true class of an example
        out of that example's sum over s.
      partition_strategy: "mod" or "div": how class ids map to the pieces of `weights`. The pieces
        of `biases` are always looked up as "mod", and a PartitionedVariable of weights as "div".
      name: A name for the operation.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: If an argument has a wrong type, shape, size or dtype, or a label is not in
        [0, num_classes). Errors in values are also `tf.errors.InvalidArgumentError`s.

    Source: `tf.nn` of TensorFlow 0.12; Gutmann and Hyvärinen, 2010,
    http://proceedings.mlr.press/v9/gutmann10a.html.
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
            names="0.x",
        )
    )
