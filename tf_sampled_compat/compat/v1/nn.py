"""Mirrors `tf.nn` of TensorFlow 1.x (and `tf.compat.v1.nn`): `partition_strategy` is "mod".

With a PartitionedVariable, "mod" reads the rows in a permuted order, as in TensorFlow 1, and warns.
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments.typing import SampledValuesLike, TableLike, TensorLike
from tf_sampled_compat.core.losses.description import Arguments, SampledLoss, Sampling
from tf_sampled_compat.core.losses.sampled import sampled_logits, sampled_loss
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
    "compute_sampled_logits",
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
    r"""Computes the sampled softmax loss, a training loss for a softmax over many classes.

    .. math::
        \ell_i = -\tfrac{1}{T} \sum_t l_{i,t} +
            \log\Big(\sum_t e^{l_{i,t}} + \sum_s e^{l_{i,s}}\Big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    with T true classes t and the sampled classes s, and Q(c) the expected count of class c in the
    sample. For training only: evaluate with `tsc.nn.full_softmax_loss`.

    >>> pieces = [tf.zeros([17, 8]), tf.zeros([17, 8]), tf.zeros([16, 8])]
    >>> loss = tsc.compat.v1.nn.sampled_softmax_loss(
    ...     pieces, tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), 5, 50, partition_strategy="div")
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: The `[num_classes, dim]` class embeddings: a tensor, array or variable, a
        PartitionedVariable, or a list or tuple of pieces. It may be longer than `num_classes`.
      biases: The `[num_classes]` class biases, in the same forms.
      labels: `[batch_size, num_true]` integer ids of the true classes.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      num_true: T, the number of true classes of each example; each has probability 1 / T.
      sampled_values: `(sampled_candidates, true_expected_count, sampled_expected_count)` as a
        `*_candidate_sampler` returns them. None samples with `log_uniform_candidate_sampler` and
        `unique=True`, which expects classes sorted by decreasing frequency.
      remove_accidental_hits: Whether to leave a sampled class that is a true class of an example
        out of that example's sum over s.
      partition_strategy: "mod" or "div": how class ids map to pieces. Of one piece both mean the
        same.
      name: A name for the operation.
      seed: The operation seed of the default sampler.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: If an argument has a wrong type, shape, size or dtype, or a label is not in
        [0, num_classes). Errors in values are also `tf.errors.InvalidArgumentError`s.

    Source: https://www.tensorflow.org/api_docs/python/tf/compat/v1/nn/sampled_softmax_loss and
    section 3 of Jean et al., 2014, arXiv:1412.2007.
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
    r"""Computes the noise-contrastive estimation loss, for training.

    .. math::
        \ell_i = \sum_t H\big(\tfrac{1}{T}, \sigma(l_{i,t})\big) +
            \sum_s H\big(0, \sigma(l_{i,s})\big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    with H the binary cross entropy, T true classes t and the sampled classes s, and Q(c) the
    expected count of class c in the sample. For training only: evaluate with
    `tsc.nn.full_sigmoid_loss`.

    >>> loss = tsc.compat.v1.nn.nce_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), 5, 50)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: The `[num_classes, dim]` class embeddings: a tensor, array or variable, a
        PartitionedVariable, or a list or tuple of pieces. It may be longer than `num_classes`.
      biases: The `[num_classes]` class biases, in the same forms.
      labels: `[batch_size, num_true]` integer ids of the true classes.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      num_true: T, the number of true classes of each example.
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

    Source: https://www.tensorflow.org/api_docs/python/tf/compat/v1/nn/nce_loss and Gutmann and
    Hyvärinen, 2010, http://proceedings.mlr.press/v9/gutmann10a.html.
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


def compute_sampled_logits(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Optional[SampledValuesLike] = None,
    subtract_log_q: bool = True,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: Optional[str] = None,
    seed: Optional[int] = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""Computes the logits and targets that the sampled losses are made of.

    .. math:: l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    The twin of TensorFlow's private `_compute_sampled_logits`, for programs that make a loss of
    their own. It builds the `[batch_size, num_true + num_sampled]` matrix, as TensorFlow does.

    >>> logits, targets = tsc.compat.v1.nn.compute_sampled_logits(
    ...     tf.zeros([50, 8]), tf.zeros([50]), [[3], [7]], tf.ones([2, 8]), 5, 50)
    >>> logits.shape, targets.shape
    (TensorShape([2, 6]), TensorShape([2, 6]))

    Args:
      weights: The `[num_classes, dim]` class embeddings; see `sampled_softmax_loss`.
      biases: The `[num_classes]` class biases.
      labels: `[batch_size, num_true]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations.
      num_sampled: How many classes to sample for the batch.
      num_classes: The number of classes.
      num_true: The number of target classes of each example.
      sampled_values: What a `*_candidate_sampler` returned, or None for the log-uniform one.
      subtract_log_q: Whether to subtract the logarithm of a class's expected count.
      remove_accidental_hits: Whether a sampled class that is a target class of an example gets the
        lowest float32 for its logit.
      partition_strategy: "div" or "mod": how ids map to pieces where there are several.
      name: A name for the operation.
      seed: The sampler's operation seed.

    Returns:
      `(logits, targets)`, both `[batch_size, num_true + num_sampled]`, the target classes first.
      A target class has the target 1 / num_true, a sampled one 0. float32, or float64 for float64
      inputs.

    Raises:
      ValueError: See `sampled_softmax_loss`.

    Source: `_compute_sampled_logits` in `tensorflow/python/ops/nn_impl.py` of TensorFlow 1.15.
    """
    return sampled_logits(
        SampledLoss(
            function="compute_sampled_logits",
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
        ),
        subtract_log_q=subtract_log_q,
    )
