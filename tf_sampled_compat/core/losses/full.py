"""Exact losses and rankings over all classes, streamed: never a `[B, C]` matrix of logits.

Blocks of rows are looked up one after another and folded into `[B]` (or `[B, k]`) results, so that
any kind of table serves, and what is held at a time does not grow with the number of classes. (The
gradient of a loss for the table does: it has a number for every class.)
"""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.backends import composite
from tf_sampled_compat.core.backends.choice import Call, call, choose
from tf_sampled_compat.core.losses.blocks import fold_blocks, number
from tf_sampled_compat.core.losses.problem import Batch, check_labels, prepare
from tf_sampled_compat.core.tables.lookup import lookup
from tf_sampled_compat.core.tf.shapes import size_of


def softmax_loss(*, num_classes: Any, implementation: Optional[str], **tensors: Any) -> tf.Tensor:
    """log Σ_c exp(logit_c) - (1/T) Σ_t logit(true_t), over all classes c."""
    batch = prepare(**tensors)
    how = choose(implementation, _call(batch))
    batch = check_labels(batch, how)

    def fold(log_sum: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        return tf.reduce_logsumexp(
            [log_sum, how.full_log_sum_exp(batch.inputs, rows, biases)], axis=0
        )

    lowest = tf.fill(tf.shape(batch.inputs)[:1], tf.constant(float("-inf"), batch.compute_dtype))
    loss = _less_true_logits(batch, fold_blocks(batch, num_classes, fold, lowest))
    if batch.true_mask is None:
        return loss
    return tf.where(tf.reduce_any(batch.true_mask, axis=1), loss, tf.zeros_like(loss))


def sigmoid_loss(*, num_classes: Any, implementation: Optional[str], **tensors: Any) -> tf.Tensor:
    """Σ_c softplus(logit_c) - (1/T) Σ_t logit(true_t): binary cross entropies of all classes c."""
    batch = prepare(**tensors)
    how = choose(implementation, _call(batch))
    batch = check_labels(batch, how)

    def fold(total: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        return total + how.full_softplus_sum(batch.inputs, rows, biases)

    zeros = tf.zeros(tf.shape(batch.inputs)[:1], batch.compute_dtype)
    return _less_true_logits(batch, fold_blocks(batch, num_classes, fold, zeros))


def top_k(
    *, k: int, num_classes: Any, implementation: Optional[str], inputs: Any, **tables: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    """The k classes of the highest logits, the highest first, the lower id first among equals."""
    inputs = tf.convert_to_tensor(inputs)
    no_labels = tf.zeros([tf.shape(inputs)[0], 1], tf.int64)
    batch = prepare(inputs=inputs, labels=no_labels, num_true=1, **tables)
    k = checks.size_attribute("k", k)
    checks.at_most("k", k, number(batch, num_classes))
    how = choose(implementation, _call(batch))

    def fold(best: tuple, rows: tf.Tensor, biases: tf.Tensor, first_id: tf.Tensor) -> tuple:
        count = tf.minimum(k, tf.shape(rows)[0])
        # What does not beat the k-th best so far will not be kept: most blocks hold nothing.
        bar = tf.concat([best[0][:, k - 1 : k], no_bar], axis=1)[:, 0]
        values, positions = how.full_top_k(batch.inputs, rows, biases, count, bar)
        values = tf.concat([best[0], values], axis=1)
        ids = tf.concat([best[1], positions + first_id], axis=1)
        # Ids found earlier are lower, and stand first: tf.math.top_k keeps them among equals.
        values, kept = tf.math.top_k(values, k=tf.minimum(k, tf.shape(values)[1]))
        return values, tf.gather(ids, kept, batch_dims=1)

    size = [tf.shape(inputs)[0], 0]
    no_bar = tf.fill([size[0], 1], tf.constant(float("nan"), batch.compute_dtype))
    start = (tf.zeros(size, batch.compute_dtype), tf.zeros(size, tf.int64))
    values, ids = fold_blocks(batch, num_classes, fold, start, least_rows=k or 16)
    shape = [size_of(inputs, 0), k]
    return tf.cast(tf.ensure_shape(values, shape), inputs.dtype), tf.ensure_shape(ids, shape)


def ranks(*, num_classes: Any, **tensors: Any) -> tf.Tensor:
    """Where each true class stands among all classes, as `[B, T]` int64: 1 for the highest logit.

    As in `top_k` the lower id comes first among equals. A NaN logit stands behind all others, so
    that a model that has diverged ranks nothing well.
    """
    batch = prepare(**tensors)
    true_logits = _true_logits(batch)

    def fold(count: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
        logits = composite.full_logits(batch.inputs, rows, biases)
        ids = first + tf.range(tf.shape(rows, out_type=tf.int64)[0])

        def before(t: int) -> tf.Tensor:
            true_logit, true_id = true_logits[:, t, None], batch.labels[:, t, None]
            later_equal = tf.logical_and(tf.equal(logits, true_logit), ids > true_id)
            behind = tf.logical_or(logits < true_logit, later_equal)
            itself_or_behind = tf.logical_or(behind, tf.equal(ids, true_id))
            return tf.math.count_nonzero(tf.logical_not(itself_or_behind), axis=1)

        return count + tf.stack([before(t) for t in range(batch.num_true)], axis=1)

    return fold_blocks(batch, num_classes, fold, tf.ones_like(batch.labels))


def _less_true_logits(batch: Batch, reduced: tf.Tensor) -> tf.Tensor:
    loss = reduced - _mean_of_true(batch, _true_logits(batch))
    return tf.cast(tf.ensure_shape(loss, [size_of(batch.inputs, 0)]), batch.inputs.dtype)


def _mean_of_true(batch: Batch, logits: tf.Tensor) -> tf.Tensor:
    """The mean over a row's true classes; 0 where all its labels are padding."""
    if batch.true_mask is None:
        return tf.reduce_sum(logits, axis=1) / batch.num_true
    total = tf.reduce_sum(tf.where(batch.true_mask, logits, tf.zeros_like(logits)), axis=1)
    count = tf.math.count_nonzero(batch.true_mask, axis=1, dtype=logits.dtype)
    return total / tf.maximum(count, 1)


def _true_logits(batch: Batch) -> tf.Tensor:
    """Returns the `[B, T]` logits of the true classes, in the compute dtype."""
    dtype, flat = batch.compute_dtype, tf.reshape(batch.labels, [-1])
    rows = tf.cast(lookup(batch.weights, flat), dtype)
    rows = tf.reshape(rows, tf.concat([tf.shape(batch.labels), tf.shape(rows)[1:]], axis=0))
    biases = tf.reshape(tf.cast(lookup(batch.biases, flat), dtype), tf.shape(batch.labels))
    inputs = tf.expand_dims(tf.cast(batch.inputs, dtype), 1)
    return tf.reduce_sum(inputs * rows, axis=2) + biases


def _call(batch: Batch) -> Call:
    """Padding among the true classes concerns no sum over all classes."""
    return call(inputs=batch.inputs, weights=batch.weights.pieces, biases=batch.biases.pieces)
