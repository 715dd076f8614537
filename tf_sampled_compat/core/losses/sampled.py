"""The sampled losses: prepare the arguments, draw, gather the rows, and call a backend.

With x the inputs, w and b the row and bias of a class, and Q its expected count among the
candidates, the corrected logit of a class is

    l(class) = w · x + b - log Q(class)

Candidates that are also a true class of the row (accidental hits) can be left out. The formula of
each loss is in `backends.interface.Backend.loss`.
"""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.losses.description import SampledLoss, Sampling
from tf_sampled_compat.core.losses.draw import draw
from tf_sampled_compat.core.losses.gather import gather
from tf_sampled_compat.core.losses.prepare import prepare


def sampled_loss(loss: SampledLoss) -> tf.Tensor:
    """Computes the `[B]` losses, in the dtype of the inputs."""
    checks.misplaced_arguments(loss.name, loss.sampling.seed)
    with tf.compat.v1.name_scope(loss.name, _default_scope(loss)):
        _check_sampling(loss.sampling)
        batch = prepare(loss.arguments, flat_labels=_flat_labels_pass(loss))
        drawn = draw(loss, batch)
        gathered = gather(loss, drawn)
        return drawn.backend.loss(gathered, loss.kind)


def _default_scope(loss: SampledLoss) -> str:
    """The name scope TensorFlow opens where `name` is None."""
    return "compute_sampled_logits" if loss.sampling.resampling is None else loss.function


def _check_sampling(sampling: Sampling) -> None:
    if sampling.resampling is not None:
        checks.resampling_sizes(
            sampling.num_sampled, sampling.resampling.num_resampled, sampling.num_classes
        )
    checks.sampler(sampling.sampler, sampling.given() is None)


def _flat_labels_pass(loss: SampledLoss) -> bool:
    """Whether labels of shape `[B * T]` are accepted, as where TensorFlow only reshapes them."""
    given = loss.sampling.sampled_values is not None and loss.sampling.resampling is None
    return given and not loss.remove_accidental_hits
