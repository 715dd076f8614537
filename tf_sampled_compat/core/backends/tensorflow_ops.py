"""The backend in public TensorFlow ops: any device, XLA, derivatives of any order.

It builds the `[B, T + S]` logits, subtracts log Q, removes the accidental hits, and calls
TensorFlow's cross entropies.
"""

from __future__ import annotations

import math
from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends.accidental_hits import accidental_hits
from tf_sampled_compat.core.backends.interface import (
    Backend,
    Gathered,
    IdSource,
    LossKind,
    Plan,
    SumKind,
    Terms,
)
from tf_sampled_compat.core.backends.plan import plan
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.ranking import top_k_with_nan
from tf_sampled_compat.core.tf.shapes import size_of

# The names of class ids in messages. The C++ op takes the keys and has the same names
# (custom_ops/glue/words.cc).
_ID_SOURCES: dict[IdSource, str] = {
    "labels": "labels",
    "sampled_candidates": "sampled_values: sampled_candidates",
    "drawn_candidates": "weights, biases: sampled with num_classes = {num_classes}",
}


class Composite(Backend):
    """See `interface.Backend`."""

    name = "composite"

    def check_ids(
        self,
        source: IdSource,
        ids: tf.Tensor,
        weights_rows: Optional[int],
        biases_rows: Optional[int],
        num_classes: Optional[int] = None,
    ) -> tf.Tensor:
        argument = _ID_SOURCES[source].format(num_classes=num_classes)
        return errors.after(checks.ids_in_range(argument, ids, weights_rows, biases_rows), ids)

    def log_offset(self, argument: str, count: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        count = errors.after(checks.positive_count(argument, count), count)
        # A float64 count may be too small for float32: take its logarithm before casting.
        wide = tf.float64 if tf.float64 in (count.dtype, dtype) else tf.float32
        return tf.cast(-tf.math.log(tf.cast(count, wide)), dtype)

    def plan(
        self, labels: tf.Tensor, sampled: tf.Tensor, *, num_true: int, find_hits: bool, unique: bool
    ) -> Plan:
        return plan(labels, sampled, num_true=num_true, find_hits=find_hits, unique=unique)

    def hits(self, labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
        return accidental_hits(labels, sampled, num_true)

    def tapas_scores(self, rows: tf.Tensor, inputs: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
        rows, inputs = tf.cast(rows, temperature.dtype), tf.cast(inputs, temperature.dtype)
        logits = tf.matmul(rows, inputs / temperature, transpose_b=True)
        return tf.reduce_logsumexp(logits, axis=1)

    def loss(self, gathered: Gathered, kind: LossKind, name: Optional[str] = None) -> tf.Tensor:
        logits, targets = logits_and_targets(gathered)
        if kind == "softmax":
            loss = tf.nn.softmax_cross_entropy_with_logits(tf.stop_gradient(targets), logits)
        elif kind == "sparse_softmax":  # The true class is column 0 of the logits.
            first = tf.zeros(tf.shape(logits)[:1], tf.int64)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(first, logits)
        elif kind == "sigmoid":
            losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
            return _as_returned(tf.reduce_sum(losses, axis=1), gathered, name)
        else:
            raise _unknown(kind)
        return _as_returned(_if_any_is_true(loss, gathered), gathered, name)

    def terms(self, gathered: Gathered, kind: SumKind) -> Terms:
        gathered = _in_compute_dtype(gathered)
        true_logits, sampled_logits = _true_logits(gathered), _sampled_logits(gathered)
        if kind == "sigmoid":
            return Terms(tf.reduce_sum(tf.nn.softplus(sampled_logits), axis=1), true_logits)
        if kind != "softmax":
            raise _unknown(kind)
        log_sum = tf.reduce_logsumexp(sampled_logits, axis=1)
        # An excluded logit is finite instead of -∞, so that its gradient is zero and not NaN.
        none = tf.reduce_all(sampled_logits <= _lowest(sampled_logits), axis=1)
        negatives = tf.where(none, tf.constant(-math.inf, log_sum.dtype), log_sum)
        return Terms(negatives, true_logits)

    def logits(self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
        inputs, rows = tf.cast(inputs, biases.dtype), tf.cast(rows, biases.dtype)
        return tf.matmul(inputs, rows, transpose_b=True) + biases

    def reduce(
        self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, kind: SumKind
    ) -> tf.Tensor:
        logits = self.logits(inputs, rows, biases)
        if kind == "softmax":
            return tf.reduce_logsumexp(logits, axis=1)
        if kind == "sigmoid":
            return tf.reduce_sum(tf.nn.softplus(logits), axis=1)
        raise _unknown(kind)

    def top_k(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        k: tf.Tensor,
        bar: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        del bar  # It would save nothing: the logits are computed anyway.
        values, positions = top_k_with_nan(self.logits(inputs, rows, biases), k)
        return values, tf.cast(positions, tf.int64)


COMPOSITE = Composite()


def _unknown(kind: str) -> ValueError:
    """A third kind must not pass for one of the two."""
    return ValueError(f"kind: expected a softmax or 'sigmoid', got {kind!r}")


def logits_and_targets(
    gathered: Gathered, logit_of_hits: Optional[float] = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `[B, T + S]` logits, less log Q and without accidental hits, and their targets.

    Args:
      gathered: The batch.
      logit_of_hits: The logit of an accidental hit, or None for one so low that nothing overflows.
    """
    gathered = _in_compute_dtype(gathered)
    true_logits = _true_logits(gathered)
    targets = _targets(true_logits, gathered)
    if size_of(gathered.sampled_positions, 0) == 0:
        return true_logits, targets
    sampled_logits = _sampled_logits(gathered, logit_of_hits)
    logits = tf.concat([true_logits, sampled_logits], axis=1)
    return logits, tf.concat([targets, tf.zeros_like(sampled_logits)], axis=1)


def _in_compute_dtype(gathered: Gathered) -> Gathered:
    dtype = gathered.compute_dtype
    return gathered._replace(
        inputs=tf.cast(gathered.inputs, dtype), rows=tf.cast(gathered.rows, dtype)
    )


def _true_logits(gathered: Gathered) -> tf.Tensor:
    """Returns the `[B, T]` corrected logits of the true classes; padding has the lowest."""
    rows = _take(gathered.rows, gathered.true_positions)
    logits = tf.reduce_sum(tf.expand_dims(gathered.inputs, 1) * rows, axis=2)
    logits += _take(gathered.row_biases, gathered.true_positions) + gathered.true_offset
    if gathered.true_mask is not None:
        logits = tf.where(gathered.true_mask, logits, _lowest(logits))
    return logits


def _sampled_logits(gathered: Gathered, logit_of_hits: Optional[float] = None) -> tf.Tensor:
    """`[B, S]` corrected logits of the candidates; the lowest where one is no negative."""
    if size_of(gathered.sampled_positions, 0) == 0:
        # In a function, TensorFlow fuses the product and the sum below into one oneDNN kernel,
        # which crashes the process if the matrix is empty.
        return tf.zeros([tf.shape(gathered.inputs)[0], 0], gathered.inputs.dtype)
    rows = _take(gathered.rows, gathered.sampled_positions)
    logits = tf.matmul(gathered.inputs, rows, transpose_b=True)
    logits += _take(gathered.row_biases, gathered.sampled_positions) + gathered.sampled_offset
    if gathered.hits is not None:
        logits = _without_hits(logits, gathered.hits, logit_of_hits)
    if gathered.excluded is not None:
        logits = tf.where(gathered.excluded, _lowest(logits), logits)
    return logits


def _targets(true_logits: tf.Tensor, gathered: Gathered) -> tf.Tensor:
    """Returns the targets: 1 for each row, shared among its true classes."""
    if gathered.true_mask is None:
        return tf.ones_like(true_logits) / gathered.num_true
    there = tf.cast(gathered.true_mask, true_logits.dtype)
    return there / tf.maximum(tf.reduce_sum(there, axis=1, keepdims=True), 1)


def _if_any_is_true(loss: tf.Tensor, gathered: Gathered) -> tf.Tensor:
    """Sets the loss of rows without a true class to 0."""
    if gathered.true_mask is None:
        return loss
    return tf.where(tf.reduce_any(gathered.true_mask, axis=1), loss, tf.zeros_like(loss))


def _without_hits(logits: tf.Tensor, hits: tf.Tensor, logit_of_hits: Optional[float]) -> tf.Tensor:
    low = _lowest(logits) if logit_of_hits is None else tf.constant(logit_of_hits, logits.dtype)
    updates = tf.fill(tf.shape(hits)[:1], low)
    if not private.in_xla_context():
        return tf.tensor_scatter_nd_update(logits, hits, updates)
    # Under XLA each label has a pair, which points beyond the last column if it is not a hit. XLA
    # drops such a pair. But the same trace may also run outside XLA, where it would be an error.
    spare = tf.pad(logits, [[0, 0], [0, 1]])
    return tf.tensor_scatter_nd_update(spare, hits, updates)[:, :-1]


def _lowest(logits: tf.Tensor) -> tf.Tensor:
    # The exponential of this number is exactly zero. -∞ would give NaN in a cross entropy (0 · ∞).
    # Half of the lowest number leaves room to subtract the row's maximum.
    return tf.constant(logits.dtype.min / 2, logits.dtype)


def _take(rows: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Gathers rows, with a dense gradient: `[U, ...]` is small, and the table's lookup needs it.

    (`tf.gather`'s gradient is an `IndexedSlices` of unknown size. TensorFlow warns when it makes
    one dense.)
    """
    shape = tf.concat([tf.shape(positions), tf.shape(rows)[1:]], axis=0)
    if rows.shape.rank == 2 and size_of(rows, 1) == 0:
        taken = tf.broadcast_to(tf.reduce_sum(rows, axis=0), shape)  # gather_nd refuses dim = 0.
    else:
        taken = tf.reshape(tf.gather_nd(rows, tf.reshape(positions, [1, -1, 1])), shape)
    known = positions.shape.concatenate(rows.shape[1:])
    return taken if known.rank is None else tf.ensure_shape(taken, known)


def _as_returned(loss: tf.Tensor, gathered: Gathered, name: Optional[str]) -> tf.Tensor:
    loss = tf.cast(loss, gathered.inputs.dtype)
    return tf.ensure_shape(loss, [size_of(gathered.true_positions, 0)], name=name)
