"""A loss over sampled classes without expected counts: the binary cross entropy of recommenders."""

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
from tf_sampled_compat.core.losses import calibration as gbce
from tf_sampled_compat.core.losses.description import (
    Arguments,
    Composition,
    Margin,
    SampledLoss,
    Sampling,
)
from tf_sampled_compat.core.losses.sampled import sampled_loss
from tf_sampled_compat.nn import in_compile

__all__ = ["sampled_binary_crossentropy"]


@in_compile.use_instead("SampledBinaryCrossentropy(num_sampled)")
def sampled_binary_crossentropy(
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
    name: Optional[str] = "sampled_binary_crossentropy",
    *,
    calibration: float = 0.0,
    partition_strategy: str = "div",
    implementation: Optional[str] = None,
    sampler: Optional[Sampler] = None,
    padding_label: Optional[int] = None,
    temperature: Optional[ScalarLike] = None,
    normalize: bool = False,
    margin: Optional[Margin] = None,
    label_weights: Optional[TensorLike] = None,
    label_smoothing: float = 0.0,
) -> tf.Tensor:
    r"""Computes the binary cross entropy of the true classes and of sampled ones (BCE, gBCE).

    .. math::
        \ell_i = -\beta \sum_t \log \sigma(l_{i,t}) - \sum_s \log(1 - \sigma(l_{i,s})),
        \quad l_{i,c} = w_c \cdot x_i + b_c

    Unlike in `nce_loss`, no expected count corrects the logits, and each true class has the
    target 1. With few negatives the model is then overconfident: it takes a class that is rare
    among negatives for a true one. The calibration t sets the power β of the
    true classes' probability:

    .. math::
        \beta = \alpha \big(t (1 - 1/\alpha) + 1/\alpha\big), \quad \alpha = S / (C - 1)

    It is 1 at t = 0, the plain loss, and at t = 1 the probabilities are those of all negatives.

    >>> loss = tsc.nn.sampled_binary_crossentropy(
    ...     tf.zeros([50, 8]), tf.zeros([50]), labels=[[3], [7]], inputs=tf.ones([2, 8]),
    ...     num_sampled=5, num_classes=50, calibration=0.75)
    >>> loss.shape
    TensorShape([2])

    Args:
      weights: See `sampled_softmax_loss`.
      biases: See `sampled_softmax_loss`.
      labels: `[batch_size, num_true]` class ids of the target classes.
      inputs: `[batch_size, dim]` activations.
      num_sampled: S, the number of classes to sample for the batch.
      num_classes: C, the number of classes.
      num_true: The number of target classes of each example.
      sampled_values: See `sampled_softmax_loss`, except that the default is
        `tf.random.uniform_candidate_sampler` with `unique=True`. The expected counts are not used.
      remove_accidental_hits: Whether to leave a sampled class out of an example's sum if it is one
        of the example's target classes.
      seed: The default sampler's operation seed.
      name: A name for the operation.
      calibration: t in [0, 1]. Above 0 the candidates must be uniform.
      partition_strategy: "div" or "mod".
      implementation: "fused", "composite" or None; see `sampled_softmax_loss`.
      sampler: See `sampled_softmax_loss`.
      padding_label: See `sampled_softmax_loss`.
      temperature: See `sampled_softmax_loss`.
      normalize: See `sampled_softmax_loss`.
      margin: See `sampled_softmax_loss`.
      label_weights: `[batch_size, num_true]` targets in [0, 1] of the target classes; default 1.
      label_smoothing: ε in [0, 1): a target y becomes y (1 - ε) + ε / 2, that of a sampled class
        ε / 2.

    Returns:
      A `[batch_size]` tensor of losses in nats, of the dtype of `inputs`.

    Raises:
      ValueError: See `sampled_softmax_loss`; and with a calibration above 0 for a sampler that is
        not uniform, and for `num_sampled` above `num_classes` - 1.
      RuntimeError: If `implementation="fused"` and the C++ op cannot compute this call.

    Source: Petrov and Macdonald, 2023, arXiv:2308.07192.
    """
    sampling = Sampling(
        num_sampled=num_sampled,
        num_classes=num_classes,
        sampled_values=sampled_values,
        sampler=sampler,
        seed=seed,
    )
    return sampled_loss(
        SampledLoss(
            function="sampled_binary_crossentropy",
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
            sampling=sampling,
            remove_accidental_hits=remove_accidental_hits,
            subtract_log_q=False,
            composition=Composition.checked(
                margin=margin,
                normalize=normalize,
                label_smoothing=label_smoothing,
                power=gbce.power(calibration, sampling),
            ),
            implementation=implementation,
            name=name,
        )
    )
