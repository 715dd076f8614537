"""What the opt-in corrections change: rows with fewer true classes, negatives that are true.

Both give every row its own view of the candidates, which TensorFlow's losses do not have.
"""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import with_shape


def rectangular(labels: Any, padding_label: Optional[int], num_true: int) -> Any:
    """Pads ragged labels to `[B, T]`; returns others as they are."""
    if padding_label is not None:
        checks.integer("padding_label", padding_label)
    if not isinstance(labels, tf.RaggedTensor):
        return labels
    if padding_label is None:
        errors.fail("labels", "a tensor, or padding_label= for ragged labels", "a RaggedTensor")
    longest = tf.reduce_max(tf.concat([[0], tf.cast(labels.row_lengths(), tf.int32)], axis=0))
    fits = errors.require(
        longest <= num_true, "labels", f"rows of at most num_true = {num_true} classes", longest
    )
    padding = tf.cast(padding_label, labels.dtype)
    padded = labels.to_tensor(default_value=padding, shape=[None, num_true])
    return with_shape(errors.after(fits, padded), [None, num_true])


def draw(
    sampler: Any,
    labels: tf.Tensor,
    true_mask: Optional[tf.Tensor],
    *,
    num_true: int,
    num_sampled: int,
    num_classes: int,
    seed: Optional[int],
) -> SampledValues:
    """Draws for a batch by any sampler; what is masked is neither learned nor looked at.

    Args:
      sampler: A callable with the signature of TensorFlow's samplers.
      labels: `[B, T]`, 0 where masked.
      true_mask: `[B, T]`: which labels are true classes; None for all.
      num_true: T.
      num_sampled: S.
      num_classes: C.
      seed: The operation's seed.
    """
    if true_mask is None:
        return sampler(labels, num_true, num_sampled, True, num_classes, seed=seed)
    if getattr(sampler, "takes_mask", False):
        return sampler(labels, num_true, num_sampled, True, num_classes, seed=seed, mask=true_mask)
    if private.in_xla_context():  # What compiles and takes no mask has no state to learn it.
        return sampler(labels, num_true, num_sampled, True, num_classes, seed=seed)
    there = tf.where(true_mask)
    classes = tf.gather_nd(labels, there)[:, tf.newaxis]
    values = sampler(classes, 1, num_sampled, True, num_classes, seed=seed)
    sampled, true_count, sampled_count = checks.three_values(values)
    true_count = tf.reshape(true_count, [-1])
    ones = tf.ones(tf.shape(labels), true_count.dtype)
    return SampledValues(
        sampled, tf.tensor_scatter_nd_update(ones, there, true_count), sampled_count
    )


def true_among(
    labels: tf.Tensor, true_mask: Optional[tf.Tensor], sampled: tf.Tensor, num_true: int
) -> tf.Tensor:
    """`[B, S]`: which candidates are a true class of the row, every copy of one."""
    labels = labels if true_mask is None else tf.where(true_mask, labels, -1)
    found = tf.equal(labels[:, :1], sampled)
    for column in range(1, num_true):
        found = tf.logical_or(found, tf.equal(labels[:, column : column + 1], sampled))
    return found


def exclusion(
    labels: tf.Tensor,
    true_mask: Optional[tf.Tensor],
    values: SampledValues,
    num_true: int,
    dtype: tf.DType,
) -> tf.Tensor:
    """`[B, 1]`: the logarithm of what a row's negatives have more of, for want of true classes.

    Of S candidates S' are no true class of the row, S - Σ E(true) were expected to be. That they
    are drawn from the other classes alone makes each one's expected count the larger:

        E'(c) = E(c) · S' / (S - Σ_true E(true))

    which for independent draws is S' · Q(c) / (1 - Σ_true Q(true)).

    Source: Khrylchenko et al., "Correcting the LogQ Correction: Revisiting Sampled Softmax for
    Large-Scale Retrieval" (2025), arXiv:2507.09331.
    """
    size = tf.cast(tf.size(values.sampled_candidates), dtype)
    found = true_among(labels, true_mask, values.sampled_candidates, num_true)
    left = size - tf.reduce_sum(tf.cast(found, dtype), axis=1, keepdims=True)
    count = tf.broadcast_to(tf.cast(values.true_expected_count, dtype), tf.shape(labels))
    distinct = tf.ones_like(labels, tf.bool) if true_mask is None else true_mask
    columns = [distinct[:, :1]]
    for column in range(1, num_true):
        before = labels[:, :column]
        again = tf.logical_and(
            tf.equal(before, labels[:, column : column + 1]), distinct[:, :column]
        )
        again = tf.reduce_any(again, axis=1, keepdims=True)
        columns.append(tf.logical_and(distinct[:, column : column + 1], tf.logical_not(again)))
    count = tf.where(tf.concat(columns, axis=1), count, tf.zeros_like(count))
    expected = size - tf.reduce_sum(count, axis=1, keepdims=True)
    # Nothing left, or expected to be left but for rounding: there is nothing to correct.
    usual = tf.logical_and(left > 0, expected > 1e-6 * size)
    one = tf.ones_like(left)
    ratio = tf.where(usual, left, one) / tf.where(usual, expected, one)
    return tf.stop_gradient(tf.math.log(ratio))


def mask_of(labels: tf.Tensor, padding_label: Optional[int]) -> Optional[tf.Tensor]:
    """`[B, T]`: which labels are true classes, or None for all."""
    return None if padding_label is None else tf.not_equal(labels, as_class_ids(padding_label))
