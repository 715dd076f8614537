"""The logits behind the sampled losses, for programs that make a loss of their own of them."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from tf_sampled_compat.core.backends.composite import logits_and_targets
from tf_sampled_compat.core.losses.description import SampledLoss
from tf_sampled_compat.core.losses.draw import draw
from tf_sampled_compat.core.losses.gather import gather
from tf_sampled_compat.core.losses.prepare import prepare


def sampled_logits(loss: SampledLoss, *, subtract_log_q: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes `[B, T + S]` logits and targets, as TensorFlow's `_compute_sampled_logits` does.

    The matrix of logits is the result, so the composite backend computes it.

    Args:
      loss: The loss whose logits they are.
      subtract_log_q: Whether a logit is less the logarithm of its class's expected count.
    """
    loss = dataclasses.replace(loss, implementation="composite")
    given = loss.sampling.sampled_values is not None
    with tf.compat.v1.name_scope(loss.name, loss.function):
        flat_labels = given and not loss.remove_accidental_hits
        drawn = draw(loss, prepare(loss.arguments, flat_labels=flat_labels))
        if not subtract_log_q:  # The logarithm of 1 is 0.
            one = tf.ones([], drawn.batch.compute_dtype)
            candidates = drawn.candidates._replace(
                true_expected_count=one, sampled_expected_count=one
            )
            drawn = drawn._replace(candidates=candidates)
        # TensorFlow adds the lowest float32 to the logit of a hit.
        return logits_and_targets(gather(loss, drawn), logit_of_hits=tf.float32.min)
