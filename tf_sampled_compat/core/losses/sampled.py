"""The sampled losses: prepare the arguments, draw, gather the rows, and call a backend.

With x the inputs, w and b the row and bias of a class, and Q its expected count among the
candidates, the corrected logit of a class is

    l(class) = w · x + b - log Q(class)

Candidates that are also a true class of the row (accidental hits) can be left out. The formula of
each loss is in `backends.interface.Backend.loss`.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends.tensorflow_ops import logits_and_targets
from tf_sampled_compat.core.losses import composed, result_names
from tf_sampled_compat.core.losses.description import Composition, SampledLoss, Sampling
from tf_sampled_compat.core.losses.draw import draw
from tf_sampled_compat.core.losses.gather import gather
from tf_sampled_compat.core.losses.prepare import prepare


def sampled_loss(loss: SampledLoss) -> tf.Tensor:
    """Computes the `[B]` losses, in the dtype of the inputs."""
    loss = _checked(loss)
    result = None if loss.is_tapas else result_names.reserved(loss.kind, loss.names)
    with tf.compat.v1.name_scope(loss.name, loss.default_scope):
        result = result_names.reserved(loss.kind, loss.names) if loss.is_tapas else result
        _check_sampling(loss.sampling, loss.composition)
        batch = prepare(loss.arguments, flat_labels=loss.flat_labels_pass)
        drawn = draw(loss, batch)
        if not loss.subtract_log_q:
            drawn = drawn.with_counts_of_one()
        gathered = gather(loss, drawn)
        if not loss.is_plain:
            return composed.sampled(loss, drawn, gathered, result)
        if gathered.inputs.dtype == batch.dtype:
            return drawn.backend.loss(gathered, loss.kind, result)
        return tf.cast(drawn.backend.loss(gathered, loss.kind), batch.dtype, name=result)


def sampled_logits(loss: SampledLoss, *, subtract_log_q: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes `[B, T + S]` logits and targets, as TensorFlow's `_compute_sampled_logits` does.

    The matrix of logits is the result, so TensorFlow's ops compute it.

    Args:
      loss: The loss whose logits they are.
      subtract_log_q: Whether a logit is less the logarithm of its class's expected count.
    """
    loss = dataclasses.replace(_checked(loss), implementation="composite")
    subtract_log_q = checks.flag("subtract_log_q", subtract_log_q)
    with tf.compat.v1.name_scope(loss.name, loss.function):
        batch = prepare(loss.arguments, flat_labels=loss.flat_labels_pass)
        drawn = draw(loss, batch)
        if not subtract_log_q:
            drawn = drawn.with_counts_of_one()
        gathered = gather(loss, drawn)
        # TensorFlow adds the lowest float32 to the logit of a hit.
        return logits_and_targets(gathered, logit_of_hits=tf.float32.min)


def _checked(loss: SampledLoss) -> SampledLoss:
    """Checks what is no tensor and no size, and returns the loss with flags that are booleans."""
    checks.misplaced_arguments(loss.name, loss.sampling.seed)
    return dataclasses.replace(
        loss,
        remove_accidental_hits=checks.flag("remove_accidental_hits", loss.remove_accidental_hits),
        exclude_true=checks.flag("exclude_true", loss.exclude_true),
    )


def _check_sampling(sampling: Sampling, composition: Composition) -> None:
    if sampling.resampling is not None:
        checks.resampling_sizes(
            sampling.num_sampled, sampling.resampling.num_resampled, sampling.num_classes
        )
    checks.sampler(sampling.sampler, sampling.given() is None)
    if composition.label_smoothing and not getattr(sampling.sampler, "covers_all_classes", True):
        errors.fail(
            "label_smoothing",
            "a sampler of all classes, whose mean logit it estimates",
            repr(sampling.sampler),
        )
