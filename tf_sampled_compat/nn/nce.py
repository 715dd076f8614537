"""Noise-contrastive estimation, for training. `full_sigmoid_loss` is for evaluation."""

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

__all__ = ["nce_loss"]


@in_compile.use_instead("NCE(num_sampled)")
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
    name: Optional[str] = "nce_loss",
    *,
    partition_strategy: str = "div",
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
) -> tf.Tensor:
    r"""Computes the noise-contrastive estimation training loss.

    .. math::
        \ell_i = \sum_t H\big(\tfrac{1}{T}, \sigma(l_{i,t})\big) +
            \sum_s H\big(0, \sigma(l_{i,s})\big),
        \quad l_{i,c} = w_c \cdot x_i + b_c - \log Q(c)

    with H the binary cross entropy. With `remove_accidental_hits=True` it is the "sampled logistic"
    loss, which learns log-odds instead of log-probabilities.

    >>> loss = tsc.nn.nce_loss(
    ...     tf.zeros([50, 8]), tf.zeros([50]), labels=[[3], [7]], inputs=tf.ones([2, 8]),
    ...     num_sampled=5, num_classes=50)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: See `sampled_softmax_loss`.
      biases: See `sampled_softmax_loss`.
      labels: `[batch_size, num_true]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations.
      num_sampled: The number of classes to sample for the batch.
      num_classes: The number of classes.
      num_true: The number of target classes of each example.
      sampled_values: See `sampled_softmax_loss`.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is one
        of the example's target classes.
      name: A name for the operation.
      partition_strategy: "div" or "mod".
      seed: The default sampler's operation seed.
      implementation: "fused", "composite" or None; see `sampled_softmax_loss`.
      sampler: See `sampled_softmax_loss`.
      padding_label: See `sampled_softmax_loss`, except that a row without true classes has the
        loss of its negatives.
      exclude_true: See `sampled_softmax_loss`, except that a true class keeps its expected count.
      temperature: See `sampled_softmax_loss`.
      normalize: See `sampled_softmax_loss`.
      margin: See `sampled_softmax_loss`.
      label_weights: `[batch_size, num_true]` targets in [0, 1] of the target classes, by default
        1 / num_true.
      label_smoothing: ε in [0, 1): a target y becomes y (1 - ε) + ε / 2, that of a sampled class
        ε / 2.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: See `sampled_softmax_loss`.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/nce_loss and Gutmann and Hyvärinen,
    2010, http://proceedings.mlr.press/v9/gutmann10a.html.
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
                padding_label=padding_label,
                temperature=temperature,
                normalize=normalize,
                label_weights=label_weights,
                most_label_weight=1.0,
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
            ),
            implementation=implementation,
            name=name,
        )
    )
