"""The losses of a `Gathered` in public TensorFlow ops: any device, XLA, any order of derivative."""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.backends.plan import plan
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

__all__ = [
    "class_ids",
    "full_log_sum_exp",
    "full_softplus_sum",
    "full_top_k",
    "log_offset",
    "plan",
    "sigmoid_loss",
    "softmax_loss",
    "sparse_softmax_loss",
    "tapas_scores",
]


def class_ids(
    argument: str, ids: tf.Tensor, weights_rows: Optional[int], biases_rows: Optional[int]
) -> tf.Tensor:
    """Returns `ids`, checked to be rows of the tables."""
    return errors.after(checks.ids_in_range(argument, ids, weights_rows, biases_rows), ids)


def log_offset(argument: str, count: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """-log of an expected count, which is checked to be positive and finite."""
    count = errors.after(checks.positive_count(argument, count), count)
    # A float64 count may be smaller than float32 goes: take its logarithm before casting.
    wide = tf.float64 if tf.float64 in (count.dtype, dtype) else tf.float32
    return tf.cast(-tf.math.log(tf.cast(count, wide)), dtype)


def softmax_loss(problem: Gathered) -> tf.Tensor:
    """Cross entropy with the softmax over true and sampled classes; targets are 1/T each."""
    logits, targets = logits_and_targets(problem)
    loss = tf.nn.softmax_cross_entropy_with_logits(tf.stop_gradient(targets), logits)
    return _as_returned(_if_any_is_true(loss, problem), problem)


def sparse_softmax_loss(problem: Gathered) -> tf.Tensor:
    """The same for a single true class, which stands in column 0 of the logits."""
    logits, _ = logits_and_targets(problem)
    first = tf.zeros(tf.shape(logits)[:1], tf.int64)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(first, logits)
    return _as_returned(_if_any_is_true(loss, problem), problem)


def sigmoid_loss(problem: Gathered) -> tf.Tensor:
    """Sum of the binary cross entropies of true and sampled classes."""
    logits, targets = logits_and_targets(problem)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
    return _as_returned(tf.reduce_sum(losses, axis=1), problem)


def tapas_scores(rows: tf.Tensor, inputs: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """log Σ_b exp(w · x_b / temperature) for each row, all in the temperature's dtype."""
    rows, inputs = tf.cast(rows, temperature.dtype), tf.cast(inputs, temperature.dtype)
    logits = tf.matmul(rows, inputs / temperature, transpose_b=True)
    return tf.reduce_logsumexp(logits, axis=1)


def full_log_sum_exp(inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
    """log Σ_c exp(w_c · x + b_c) for each of the inputs, in the biases' dtype."""
    return tf.reduce_logsumexp(full_logits(inputs, rows, biases), axis=1)


def full_softplus_sum(inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
    """Σ_c log(1 + exp(w_c · x + b_c)) for each of the inputs, in the biases' dtype."""
    return tf.reduce_sum(tf.nn.softplus(full_logits(inputs, rows, biases)), axis=1)


def full_top_k(
    inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, k: tf.Tensor, bar: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The k highest logits of each of the inputs, and their int64 positions among the rows.

    Logits that are not above the row's bar do not matter: anything may stand in their place that is
    not above it either. NaN is no bar.
    """
    del bar  # There is nothing to be gained from it.
    values, positions = tf.math.top_k(full_logits(inputs, rows, biases), k=k)
    return values, tf.cast(positions, tf.int64)


def full_logits(inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
    """w_c · x + b_c for each of the inputs and rows: `[B, rows]`, in the biases' dtype."""
    inputs, rows = tf.cast(inputs, biases.dtype), tf.cast(rows, biases.dtype)
    return tf.matmul(inputs, rows, transpose_b=True) + biases


def logits_and_targets(problem: Gathered) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `[B, T + S]` logits, less log Q and without accidental hits, and their targets."""
    inputs = tf.cast(problem.inputs, problem.compute_dtype)
    rows = tf.cast(problem.rows, problem.compute_dtype)
    true_rows = _take(rows, problem.true_positions)
    true_logits = tf.reduce_sum(tf.expand_dims(inputs, 1) * true_rows, axis=2)
    true_logits += _take(problem.row_biases, problem.true_positions) + problem.true_offset
    targets = _targets(true_logits, problem)
    if problem.true_mask is not None:
        true_logits = tf.where(problem.true_mask, true_logits, _lowest(true_logits))

    if size_of(problem.sampled_positions, 0) == 0:
        # In a function TensorFlow fuses the product and the sum below into a oneDNN kernel, which
        # ends the process if the matrix is empty.
        return true_logits, targets

    sampled_rows = _take(rows, problem.sampled_positions)
    sampled_logits = tf.matmul(inputs, sampled_rows, transpose_b=True)
    sampled_logits += _take(problem.row_biases, problem.sampled_positions) + problem.sampled_offset
    if problem.hits is not None:
        sampled_logits = _without_hits(sampled_logits, problem.hits)
    if problem.excluded is not None:
        sampled_logits = tf.where(problem.excluded, _lowest(sampled_logits), sampled_logits)

    logits = tf.concat([true_logits, sampled_logits], axis=1)
    return logits, tf.concat([targets, tf.zeros_like(sampled_logits)], axis=1)


def _targets(true_logits: tf.Tensor, problem: Gathered) -> tf.Tensor:
    """1 for each row, shared among its true classes."""
    if problem.true_mask is None:
        return tf.ones_like(true_logits) / problem.num_true
    there = tf.cast(problem.true_mask, true_logits.dtype)
    return there / tf.maximum(tf.reduce_sum(there, axis=1, keepdims=True), 1)


def _if_any_is_true(loss: tf.Tensor, problem: Gathered) -> tf.Tensor:
    """0 for rows without a true class, of which nothing is to be learned."""
    if problem.true_mask is None:
        return loss
    return tf.where(tf.reduce_any(problem.true_mask, axis=1), loss, tf.zeros_like(loss))


def _without_hits(logits: tf.Tensor, hits: tf.Tensor) -> tf.Tensor:
    updates = tf.fill(tf.shape(hits)[:1], _lowest(logits))
    if not private.in_xla_context():
        return tf.tensor_scatter_nd_update(logits, hits, updates)
    # Each label has a pair there, beyond the last column if it is no hit. XLA would drop that, but
    # the function being traced may as well be called where nothing is compiled.
    spare = tf.pad(logits, [[0, 0], [0, 1]])
    return tf.tensor_scatter_nd_update(spare, hits, updates)[:, :-1]


def _lowest(logits: tf.Tensor) -> tf.Tensor:
    # As far below any logit as can be, so that its exponential is exactly zero, and finite, as
    # 0 · ∞ in a cross entropy is NaN. Half of the lowest number leaves room to subtract the
    # row's maximum.
    return tf.constant(logits.dtype.min / 2, logits.dtype)


def _take(rows: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Gathers rows, with a dense gradient: `[U, ...]` is small, and the table's lookup wants one.

    (`tf.gather`'s gradient is an `IndexedSlices` of unknown size, which TensorFlow warns about when
    it makes it dense.)
    """
    taken = tf.gather_nd(rows, tf.reshape(positions, [1, -1, 1]))
    shape = tf.concat([tf.shape(positions), tf.shape(rows)[1:]], axis=0)
    taken = tf.reshape(taken, shape)
    known = positions.shape.concatenate(rows.shape[1:])
    return taken if known.rank is None else tf.ensure_shape(taken, known)


def _as_returned(loss: tf.Tensor, problem: Gathered) -> tf.Tensor:
    loss = tf.ensure_shape(loss, [size_of(problem.true_positions, 0)])
    return tf.cast(loss, problem.inputs.dtype, name="loss")
