"""Losses in which each true class of a row has its own weight.

With T the number of true classes of the row, N the negatives of `interface.Terms`, and l the true
logits, the losses are

    softmax:  Σ_t w_t (L - l_t) / T,   L = logaddexp(N, log Σ_t exp l_t)
    sigmoid:  N + Σ_t w_t H(1/T, σ(l_t)),   H the binary cross entropy

so that weights of 1 give the loss without weights.
"""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Backend, Gathered, LossKind, SumKind
from tf_sampled_compat.core.losses.prepare import Batch


def sampled(backend: Backend, gathered: Gathered, batch: Batch, kind: LossKind) -> tf.Tensor:
    """Returns the `[B]` sampled losses, in the dtype of the inputs."""
    sum_kind: SumKind = "sigmoid" if kind == "sigmoid" else "softmax"
    negatives, logits = backend.terms(gathered, sum_kind)
    if sum_kind == "softmax":
        # A padded label has the lowest logit, whose exponential is 0.
        negatives = tf.reduce_logsumexp(
            tf.concat([negatives[:, tf.newaxis], logits], axis=1), axis=1
        )
    return tf.cast(_loss(negatives, logits, batch, sum_kind), batch.inputs.dtype)


def exact(reduced: tf.Tensor, logits: tf.Tensor, batch: Batch, kind: SumKind) -> tf.Tensor:
    """Returns the `[B]` losses over all classes, in the compute dtype.

    Args:
      reduced: `[B]`: log Σ_c exp(logit_c), or Σ_c softplus(logit_c).
      logits: `[B, T]` logits of the true classes.
      batch: The tensors, with `label_weights`.
      kind: "softmax" or "sigmoid".
    """
    if kind == "sigmoid":
        reduced -= tf.reduce_sum(_there(tf.nn.softplus(logits), batch), axis=1)
    return _loss(reduced, logits, batch, kind)


def _loss(total: tf.Tensor, logits: tf.Tensor, batch: Batch, kind: SumKind) -> tf.Tensor:
    weights = _there(tf.cast(batch.label_weights, logits.dtype), batch)
    count = tf.reduce_sum(_there(tf.ones_like(logits), batch), axis=1, keepdims=True)
    count = tf.maximum(count, 1)
    logits = _there(logits, batch)  # Weight 0 times a logit far below all others is not 0.
    if kind == "softmax":
        return tf.reduce_sum(weights * (total[:, tf.newaxis] - logits) / count, axis=1)
    losses = tf.nn.softplus(logits) - logits / count
    return total + tf.reduce_sum(weights * losses, axis=1)


def _there(values: tf.Tensor, batch: Batch) -> tf.Tensor:
    """Sets the values of padding to 0."""
    if batch.true_mask is None:
        return values
    return tf.where(batch.true_mask, values, tf.zeros_like(values))
