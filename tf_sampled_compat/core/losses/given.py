"""The caller's candidates: converted, and checked in all but their values."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.losses.description import Sampling
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tables.table import size_assertions
from tf_sampled_compat.core.tf.shapes import sizes


def converted(
    sampling: Sampling, batch: Batch, values: Any, num_sampled: Any, *, may_differ: bool
) -> SampledValues:
    """Converts candidates and counts.

    Args:
      sampling: What the caller asked for.
      batch: The tensors.
      values: The caller's three values.
      num_sampled: S where exactly so many must come, as where TensorFlow builds a `[B, S]` mask.
      may_differ: Whether each row may have candidates of its own, `[B, S]`.
    """
    sampled, true_count, sampled_count = checks.three_values(values)
    sampled = as_tensor("sampled_values: sampled_candidates", sampled)
    checks.numbers_only("sampled_values: sampled_candidates", sampled.dtype)
    sampled = tf.stop_gradient(as_class_ids(sampled))
    if sampled.shape.rank is None:
        vector = checks.sampled_candidates(sampled, None, None)
        sampled = tf.reshape(errors.after(vector, sampled), [-1])
    true_count = _floating("true_expected_count", true_count)
    sampled_count = _floating("sampled_expected_count", sampled_count)
    if sampling.stop_count_gradients:
        true_count, sampled_count = tf.stop_gradient(true_count), tf.stop_gradient(sampled_count)
    size_checks = [
        *size_assertions(batch.weights),
        *size_assertions(batch.biases),
        *checks.sampled_candidates(
            sampled, num_sampled, sizes(batch.inputs)[0] if may_differ else None
        ),
    ]
    of_rows = sampled.shape.rank == 2
    target = sizes(sampled) if of_rows else [sizes(batch.labels)[0], *sizes(sampled)]
    true_count = _broadcasting("true_expected_count", true_count, sizes(batch.labels))
    if batch.true_mask is not None:
        true_count = tf.where(batch.true_mask, true_count, tf.ones([], true_count.dtype))
    return SampledValues(
        errors.after(size_checks, sampled),
        true_count,
        _broadcasting("sampled_expected_count", sampled_count, target, of_rows=of_rows),
    )


def _broadcasting(
    argument: str, count: tf.Tensor, target: list[Any], *, of_rows: bool = True
) -> tf.Tensor:
    return errors.after(checks.broadcasts(argument, count, target, of_rows=of_rows), count)


def _floating(argument: str, count: Any) -> tf.Tensor:
    count = as_tensor(f"sampled_values: {argument}", count)
    checks.numbers_only(f"sampled_values: {argument}", count.dtype)
    return count if count.dtype.is_floating else tf.cast(count, tf.float32)
