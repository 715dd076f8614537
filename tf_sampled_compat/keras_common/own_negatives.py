"""The negatives that a caller of a `SampledDense` layer gives, each row its own."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.losses.description import Sampling
from tf_sampled_compat.core.tf.shapes import size_of


def checked(negatives: Any, hidden: tf.Tensor) -> tf.Tensor:
    """Converts negatives, which must be `[..., S]` integers for `[..., dim]` inputs."""
    expected = "[..., num_negatives] integers for inputs of the shape [..., dim]"
    negatives = tf.convert_to_tensor(negatives)
    if not negatives.dtype.is_integer:
        errors.fail("negatives", expected, checks.kind(negatives), errors.ArgumentTypeError)
    leading = hidden.shape[:-1]
    if negatives.shape.rank != hidden.shape.rank or not leading.is_compatible_with(
        negatives.shape[:-1]
    ):
        got = f"{checks.kind(negatives)} for {checks.kind(hidden)}"
        errors.fail("negatives", expected, got)
    if not (leading.is_fully_defined() and negatives.shape[:-1].is_fully_defined()):
        got, wanted = tf.shape(negatives), tf.shape(hidden)[:-1]
        fits = errors.require(tf.reduce_all(got[:-1] == wanted), "negatives", expected, got)
        negatives = errors.after(fits, negatives)
    return negatives


def flat(negatives: tf.Tensor) -> tf.Tensor:
    """Returns `[N, S]`."""
    number = size_of(negatives, -1)
    return tf.reshape(negatives, [-1, tf.shape(negatives)[-1] if number is None else number])


def sampling(negatives: tf.Tensor, num_classes: int) -> Sampling:
    """Describes `[N, S]` negatives as the candidates of a loss; no one knows their counts."""
    number = size_of(negatives, 1)
    return Sampling(
        num_sampled=tf.shape(negatives)[1] if number is None else number,
        num_classes=num_classes,
        sampled_values=(negatives, 1.0, 1.0),
        has_counts=False,
    )
