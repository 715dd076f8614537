"""The losses of a `Gathered` in public TensorFlow ops: any device, XLA, any order of derivative."""

from __future__ import annotations

import math
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
    "negatives_and_true_logits",
    "plan",
    "sigmoid_loss",
    "softmax_loss",
    "sparse_softmax_loss",
    "tapas_scores",
]


# How messages name the source of class ids. The C++ op takes the keys, and says the same of them
# (custom_ops/glue/words.cc).
_ID_SOURCES = {
    "labels": "labels",
    "sampled_candidates": "sampled_values: sampled_candidates",
    "drawn_candidates": "weights, biases: sampled with num_classes = {num_classes}",
}


def class_ids(
    source: str,
    ids: tf.Tensor,
    weights_rows: Optional[int],
    biases_rows: Optional[int],
    num_classes: Optional[int] = None,
) -> tf.Tensor:
    """Returns `ids`, checked to be rows of the tables.

    Args:
      source: What the ids are: "labels", "sampled_candidates" (the caller's) or "drawn_candidates".
      ids: Class ids of any shape.
      weights_rows: How many rows the weights have, if that is known.
      biases_rows: The same of the biases.
      num_classes: What candidates were drawn with.
    """
    argument = _ID_SOURCES[source].format(num_classes=num_classes)
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


def negatives_and_true_logits(problem: Gathered, kind: str) -> tuple[tf.Tensor, tf.Tensor]:
    """The terms that losses are made of, in the compute dtype.

    With N the negatives' term and t the corrected logits of the true classes, `softmax_loss` is
    logaddexp(N, log Σ exp(t)) - mean(t), and `sigmoid_loss` is N + Σ (softplus(t) - t / T).

    Args:
      problem: The gathered batch.
      kind: "softmax", of which N is the log-sum-exp of a row's negatives, or "sigmoid", of which it
        is their sum of softplus.

    Returns:
      `[B]` N, of a row without negatives -∞ or 0; and `[B, T]` t, far below all others for padding.
    """
    problem = _in_compute_dtype(problem)
    true_logits, sampled_logits = _true_logits(problem), _sampled_logits(problem)
    if kind == "sigmoid":
        return tf.reduce_sum(tf.nn.softplus(sampled_logits), axis=1), true_logits
    if kind != "softmax":
        raise ValueError(f"kind: expected 'softmax' or 'sigmoid', got {kind!r}")
    log_sum = tf.reduce_logsumexp(sampled_logits, axis=1)
    # What is left out is not -∞ but finite, so that it has a gradient: zero.
    none = tf.reduce_all(sampled_logits <= _lowest(sampled_logits), axis=1)
    return tf.where(none, tf.constant(-math.inf, log_sum.dtype), log_sum), true_logits


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
    problem = _in_compute_dtype(problem)
    true_logits = _true_logits(problem)
    targets = _targets(true_logits, problem)
    if size_of(problem.sampled_positions, 0) == 0:
        return true_logits, targets
    sampled_logits = _sampled_logits(problem)
    logits = tf.concat([true_logits, sampled_logits], axis=1)
    return logits, tf.concat([targets, tf.zeros_like(sampled_logits)], axis=1)


def _in_compute_dtype(problem: Gathered) -> Gathered:
    dtype = problem.compute_dtype
    return problem._replace(
        inputs=tf.cast(problem.inputs, dtype), rows=tf.cast(problem.rows, dtype)
    )


def _true_logits(problem: Gathered) -> tf.Tensor:
    """`[B, T]` corrected logits of the true classes; those of padding are the lowest."""
    rows = _take(problem.rows, problem.true_positions)
    logits = tf.reduce_sum(tf.expand_dims(problem.inputs, 1) * rows, axis=2)
    logits += _take(problem.row_biases, problem.true_positions) + problem.true_offset
    if problem.true_mask is not None:
        logits = tf.where(problem.true_mask, logits, _lowest(logits))
    return logits


def _sampled_logits(problem: Gathered) -> tf.Tensor:
    """`[B, S]` corrected logits of the candidates; the lowest where one is no negative."""
    if size_of(problem.sampled_positions, 0) == 0:
        # In a function TensorFlow fuses the product and the sum below into a oneDNN kernel, which
        # ends the process if the matrix is empty.
        return tf.zeros([tf.shape(problem.inputs)[0], 0], problem.inputs.dtype)
    rows = _take(problem.rows, problem.sampled_positions)
    logits = tf.matmul(problem.inputs, rows, transpose_b=True)
    logits += _take(problem.row_biases, problem.sampled_positions) + problem.sampled_offset
    if problem.hits is not None:
        logits = _without_hits(logits, problem.hits)
    if problem.excluded is not None:
        logits = tf.where(problem.excluded, _lowest(logits), logits)
    return logits


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
