"""TAPAS's first pass: keeps the sampled classes that the batch finds most probable.

Source: Bai, Goldman, Zhang, "TAPAS: Two-pass Approximate Adaptive Sampling for Softmax" (2017),
arXiv:1707.03073.
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends.interface import Backend
from tf_sampled_compat.core.losses.description import Resampling
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tables.lookup import lookup
from tf_sampled_compat.core.tf.shapes import size_of


def resample(
    batch: Batch,
    values: SampledValues,
    resampling: Resampling,
    backend: Backend,
    *,
    present: Optional[tf.Tensor] = None,
    draws_fewer: bool = False,
) -> SampledValues:
    r"""Keeps the candidates with the highest scores.

    score(s) = log Σ_b exp(w_s · x_b / temperature) + bias_s / temperature

    The scores are computed on the device of each piece of the table, so a shard sends one number
    per candidate. No gradient passes through the choice. Equal scores and repeated candidates have
    the order of `tf.math.top_k(sorted=False)`.

    Args:
      batch: The tensors of the loss.
      values: S candidates.
      resampling: R < S, and the temperature. At a lower one, the choice follows the batch more
        closely.
      backend: Computes the first term of the scores.
      present: `[S]`: False where there is no candidate; None if there are S.
      draws_fewer: Whether there may be fewer candidates than S, even fewer than R.

    Returns:
      The R candidates, with their own expected counts.
    """
    dtype = batch.compute_dtype
    assertions = checks.temperature(resampling.temperature)
    temperature = tf.stop_gradient(tf.convert_to_tensor(resampling.temperature))
    temperature = tf.cast(temperature, dtype)
    temperature = errors.after(assertions, temperature)
    inputs = tf.stop_gradient(batch.inputs)
    candidates = values.sampled_candidates
    biases = batch.row_biases(candidates)
    scores = lookup(
        batch.weights,
        candidates,
        transform=lambda rows: backend.tapas_scores(
            *_seen_only(tf.stop_gradient(batch.as_used(rows)), inputs, batch.seen), temperature
        ),
    )
    with tf.control_dependencies([scores]):  # They report a temperature that is not a scalar.
        scores = tf.stop_gradient(scores + biases / temperature)
    if present is not None:
        scores = tf.where(present, scores, tf.constant(float("-inf"), scores.dtype))
    num_resampled = checks.known_size("num_resampled", resampling.num_resampled)
    if draws_fewer:
        size = size_of(scores, 0)
        least = tf.minimum if size is None else min
        num_resampled = least(num_resampled, tf.size(scores) if size is None else size)
    _, kept = tf.math.top_k(scores, k=num_resampled, sorted=False)
    sampled_count = tf.gather(values.sampled_expected_count, kept)
    return SampledValues(
        tf.gather(candidates, kept),
        values.true_expected_count,
        errors.nan_unless(lambda: checks.is_count(temperature), sampled_count),
    )


def _seen_only(
    rows: tf.Tensor, inputs: tf.Tensor, seen: Optional[tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns rows and inputs whose products are far below all others for inputs that are not seen.

    One more column does it, so that the shapes stay fixed and the backend need not know.
    """
    if seen is None:
        return rows, inputs
    inputs = tf.where(seen[:, tf.newaxis], inputs, tf.zeros_like(inputs))
    far_below = tf.where(seen, tf.zeros([], inputs.dtype), inputs.dtype.min / 2**10)
    return (
        tf.concat([rows, tf.ones_like(rows[:, :1])], axis=1),
        tf.concat([inputs, far_below[:, tf.newaxis]], axis=1),
    )
