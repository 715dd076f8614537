"""TAPAS's first pass: keeps the sampled classes that the batch finds most probable.

Source: Bai, Goldman, Zhang, "TAPAS: Two-pass Approximate Adaptive Sampling for Softmax" (2017),
arXiv:1707.03073.
"""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends.interface import Backend
from tf_sampled_compat.core.losses.description import Resampling
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tables.lookup import lookup


def resample(
    batch: Batch,
    values: SampledValues,
    resampling: Resampling,
    backend: Backend,
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
    biases = tf.cast(lookup(batch.biases, candidates), dtype)
    scores = lookup(
        batch.weights,
        candidates,
        transform=lambda rows: backend.tapas_scores(tf.stop_gradient(rows), inputs, temperature),
    )
    with tf.control_dependencies([scores]):  # They report a temperature that is not a scalar.
        scores = tf.stop_gradient(scores + biases / temperature)
    num_resampled = checks.known_size("num_resampled", resampling.num_resampled)
    _, kept = tf.math.top_k(scores, k=num_resampled, sorted=False)
    return SampledValues(
        tf.gather(candidates, kept),
        values.true_expected_count,
        tf.gather(values.sampled_expected_count, kept),
    )
