"""The sampled losses, for training. `full_softmax_loss` and `full_sigmoid_loss` are for evaluation.

Arguments before the `*` are TensorFlow's. Those after it are additions, or arguments that
TensorFlow 2 removed (`partition_strategy`) or has in one loss only (`seed`).
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments.typing import (
    SampledValuesLike,
    Sampler,
    ScalarLike,
    TableLike,
    TensorLike,
)
from tf_sampled_compat.core.losses.description import (
    Arguments,
    Composition,
    Margin,
    SampledLoss,
    Sampling,
)
from tf_sampled_compat.core.losses.sampled import sampled_loss
from tf_sampled_compat.nn import in_compile

__all__ = [
    "sampled_softmax_loss",
    "sampled_sparse_softmax_loss",
]


@in_compile.use_instead("SampledSoftmax(num_sampled)")
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
    seed: Optional[int] = None,
    name: Optional[str] = "sampled_softmax_loss",
    *,
    partition_strategy: str = "div",
    implementation: Optional[str] = None,
    sampler: Optional[Sampler] = None,
    padding_label: Optional[int] = None,
    exclude_true: bool = False,
    temperature: Optional[ScalarLike] = None,
    normalize: bool = False,
    margin: Optional[Margin] = None,
    label_weights: Optional[TensorLike] = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
) -> tf.Tensor:
    r"""Computes the sampled softmax training loss, a fast stand-in for softmax over many classes.

    .. math::
        \ell_i = -\tfrac{1}{T} \sum_t l_{i,t} +
            \log\Big(\sum_t e^{l_{i,t}} + \sum_s e^{l_{i,s}}\Big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    >>> table, bias = tf.Variable(tf.zeros([50, 8])), tf.Variable(tf.zeros([50]))
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     table, bias, labels=[[3], [7]], inputs=tf.ones([2, 8]), num_sampled=5, num_classes=50)
    >>> loss.shape
    TensorShape([2])

    For training only: it generally underestimates the full softmax loss. Evaluate with
    `full_softmax_loss`.

    Args:
      weights: The `[num_classes, dim]` class embeddings: a tensor, array or variable (TensorFlow's
        or Keras's), a PartitionedVariable or ShardedVariable, or a list or tuple of pieces whose
        concatenation (for "div") has that shape. It may be longer than `num_classes`.
      biases: The `[num_classes]` class biases, likewise.
      labels: `[batch_size, num_true]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations: float32, float64, float16 or bfloat16.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      num_true: The number of target classes of each example, each with probability 1 / num_true.
      sampled_values: `(sampled_candidates, true_expected_count, sampled_expected_count)` as a
        `*_candidate_sampler` returns. Default: `tf.random.log_uniform_candidate_sampler` with
        `unique=True`, which assumes classes sorted by decreasing frequency. The candidates may be
        `[batch_size, num_sampled]`, each row its own, with counts that broadcast to
        `[batch_size, num_true]` and `[batch_size, num_sampled]`. Then a table's gradient has each
        class once.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is one
        of the example's target classes.
      seed: The default sampler's operation seed.
      name: A name for the operation.
      partition_strategy: "div" or "mod": how ids map to pieces where there are several.
      implementation: "fused" (the C++ op, or a RuntimeError), "composite" (public TensorFlow ops),
        or None to choose.
      sampler: The sampler to use instead of the default: a callable with the samplers' signature,
        such as `tsc.random.LearnedUnigramSampler`. It receives `seed`.
      padding_label: A label that means "no class", for rows with fewer than `num_true` true classes
        (ragged labels are padded with it). The true classes of a row share the probability 1; a
        row without any has loss 0.
      exclude_true: Whether to leave out of an example's sum every candidate that is one of its true
        classes, all copies included, and to correct the expected counts E: a negative's becomes
        E' = E · S' / (S - Σ E(true)), where S' of S candidates are left, and a true class's
        becomes 1 (arXiv:2507.09331). The sums are then unbiased estimates of the full softmax's.
      temperature: τ > 0, what the logits w · x + b are divided by: a number, tensor or variable.
      normalize: Whether w and x are divided by their norms (at least 1e-12), so that w · x is a
        cosine.
      margin: With `normalize`, what changes the cosines of the target classes: a
        `tsc.margins.ArcFace` or `CosFace`, or any differentiable function of the
        `[batch_size, num_true]` cosines.
      label_weights: `[batch_size, num_true]` targets a ≥ 0 of the target classes, by default
        1 / num_true. The loss is then Σ_t a_t (log Σ e^l - l_t).
      label_smoothing: ε in [0, 1): adds ε Σ_t a_t (z_t - m), z being the logits without log Q, and
        m the mean of z over all classes as the candidates estimate it.
      z_loss: Adds `z_loss` · (log Ẑ)², Ẑ being the sum of the exponentials without log Q of the
        target classes.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: If an argument is invalid. The error is also a `tf.errors.InvalidArgumentError`.
        Invalid values that only the running graph knows raise that error alone.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call. The message
        says why.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/sampled_softmax_loss and section 3 of
    Jean et al., 2014, arXiv:1412.2007.
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
                padding_label=padding_label,
                temperature=temperature,
                normalize=normalize,
                label_weights=label_weights,
            ),
            sampling=Sampling(
                num_sampled=num_sampled,
                num_classes=num_classes,
                sampled_values=sampled_values,
                sampler=sampler,
                seed=seed,
            ),
            remove_accidental_hits=remove_accidental_hits,
            exclude_true=exclude_true,
            composition=Composition.checked(
                margin=margin,
                normalize=normalize,
                label_smoothing=label_smoothing,
                z_loss=z_loss,
            ),
            implementation=implementation,
            name=name,
        )
    )


@in_compile.use_instead("SampledSparseSoftmax(num_sampled)")
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
    *,
    seed: Optional[int] = None,
    implementation: Optional[str] = None,
    sampler: Optional[Sampler] = None,
    padding_label: Optional[int] = None,
    exclude_true: bool = False,
    temperature: Optional[ScalarLike] = None,
    normalize: bool = False,
    margin: Optional[Margin] = None,
    label_weights: Optional[TensorLike] = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
) -> tf.Tensor:
    r"""Computes the sampled softmax loss for a single target class per example.

    .. math::
        \ell_i = -l_{i} + \log\Big(e^{l_{i}} + \sum_s e^{l_{i,s}}\Big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    Equals `sampled_softmax_loss` with `num_true=1`, but is computed with
    `sparse_softmax_cross_entropy`. In TensorFlow 1 it was
    `tf.contrib.nn.sampled_sparse_softmax_loss`.

    >>> loss = tsc.nn.sampled_sparse_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), labels=[[3], [7]], inputs=tf.ones([2, 8]),
    ...     num_sampled=5, num_classes=50)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: See `sampled_softmax_loss`.
      biases: See `sampled_softmax_loss`.
      labels: `[batch_size, 1]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      sampled_values: See `sampled_softmax_loss`.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is the
        example's target class.
      partition_strategy: "div" or "mod". The default is that of TensorFlow 1. If the pieces are
        contiguous ranges of rows, use "div".
      name: A name for the operation.
      seed: The default sampler's operation seed.
      implementation: "fused", "composite" or None; see `sampled_softmax_loss`.
      sampler: See `sampled_softmax_loss`.
      padding_label: See `sampled_softmax_loss`.
      exclude_true: See `sampled_softmax_loss`.
      temperature: See `sampled_softmax_loss`.
      normalize: See `sampled_softmax_loss`.
      margin: See `sampled_softmax_loss`.
      label_weights: See `sampled_softmax_loss`.
      label_smoothing: See `sampled_softmax_loss`.
      z_loss: See `sampled_softmax_loss`.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: See `sampled_softmax_loss`.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call.

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
                padding_label=padding_label,
                temperature=temperature,
                normalize=normalize,
                label_weights=label_weights,
            ),
            sampling=Sampling(
                num_sampled=num_sampled,
                num_classes=num_classes,
                sampled_values=sampled_values,
                sampler=sampler,
                seed=seed,
            ),
            remove_accidental_hits=remove_accidental_hits,
            exclude_true=exclude_true,
            composition=Composition.checked(
                margin=margin,
                normalize=normalize,
                label_smoothing=label_smoothing,
                z_loss=z_loss,
            ),
            implementation=implementation,
            name=name,
        )
    )
