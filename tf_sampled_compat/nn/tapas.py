"""TAPAS: a sampled softmax loss that chooses its candidates in two passes."""

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
    Resampling,
    SampledLoss,
    Sampling,
)
from tf_sampled_compat.core.losses.sampled import sampled_loss
from tf_sampled_compat.nn import in_compile

__all__ = ["rank_sampled_softmax_loss"]


@in_compile.use_instead("RankSampledSoftmax(num_sampled, num_resampled)")
def rank_sampled_softmax_loss(
    weights: TableLike,
    biases: TableLike,
    labels: TensorLike,
    inputs: TensorLike,
    num_sampled: int,
    num_resampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Optional[SampledValuesLike] = None,
    resampling_temperature: ScalarLike = 1.0,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "div",
    name: Optional[str] = "rank_sampled_softmax_loss",
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
    r"""Computes softmax loss using rank-based adaptive resampling (TAPAS).

    A first pass scores `num_sampled` candidates against the whole batch,

    .. math::
        \text{score}(s) = \log \sum_i \exp(w_s \cdot x_i / \tau) + b_s / \tau,

    where :math:`\tau` is the temperature, and keeps the `num_resampled` highest. A second pass
    computes `sampled_softmax_loss` over those. In TensorFlow 1 it was
    `tf.contrib.nn.rank_sampled_softmax_loss`.

    >>> loss = tsc.nn.rank_sampled_softmax_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), labels=[[3], [7]], inputs=tf.ones([2, 8]),
    ...     num_sampled=20, num_resampled=5, num_classes=50)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: See `sampled_softmax_loss`.
      biases: See `sampled_softmax_loss`.
      labels: `[batch_size, num_true]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations.
      num_sampled: The number of classes to sample for the batch.
      num_resampled: The number of them to keep; less than `num_sampled`.
      num_classes: The number of classes.
      num_true: The number of target classes of each example.
      sampled_values: See `sampled_softmax_loss`, except that the default is
        `tf.random.learned_unigram_candidate_sampler` with `unique=True`, and that all rows share
        the candidates.
      resampling_temperature: A positive scalar: number, tensor or variable. At a low temperature
        the candidates follow the batch closely. It is commonly decreased during training.
      remove_accidental_hits: Whether to leave a kept class out of an example's sum if it is one of
        the example's target classes.
      partition_strategy: "div" or "mod".
      name: A name for the operation.
      seed: The default sampler's operation seed.
      implementation: "fused", "composite" or None; see `sampled_softmax_loss`.
      sampler: See `sampled_softmax_loss`.
      padding_label: See `sampled_softmax_loss`.
      exclude_true: See `sampled_softmax_loss`.
      temperature: See `sampled_softmax_loss`. The first pass uses the same logits.
      normalize: See `sampled_softmax_loss`.
      margin: See `sampled_softmax_loss`.
      label_weights: See `sampled_softmax_loss`.
      label_smoothing: See `sampled_softmax_loss`.
      z_loss: See `sampled_softmax_loss`.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: If `num_resampled` is not less than `num_sampled`, or `num_sampled` is more than
        `num_classes`, or the temperature is not positive and finite; and see
        `sampled_softmax_loss`.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call.

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
                resampling=Resampling(
                    num_resampled=num_resampled, temperature=resampling_temperature
                ),
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
