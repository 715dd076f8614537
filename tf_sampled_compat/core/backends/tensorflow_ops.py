"""The backend in public TensorFlow ops: any device, XLA, derivatives of any order.

It builds the `[B, T + S]` logits, subtracts log Q, removes the accidental hits, and calls
TensorFlow's cross entropies.
"""

from __future__ import annotations

import math
from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends import streaming
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
from tf_sampled_compat.core.backends.row_logits import row_logits
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.products import products
from tf_sampled_compat.core.tf.ranking import top_k_with_nan
from tf_sampled_compat.core.tf.shapes import size_of, static_size_of
from tf_sampled_compat.core.tf.take import take

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
        offset = tf.cast(-tf.math.log(tf.cast(count, wide)), dtype)
        # Under XLA, ±∞ could pass for a class that is certain or impossible.
        return errors.nan_unless(lambda: checks.is_count(count), offset)

    def plan(
        self, labels: tf.Tensor, sampled: tf.Tensor, *, num_true: int, find_hits: bool, unique: bool
    ) -> Plan:
        return plan(labels, sampled, num_true=num_true, find_hits=find_hits, unique=unique)

    def hits(self, labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
        return accidental_hits(labels, sampled, num_true)

    def every_copy(
        self, labels: tf.Tensor, sampled: tf.Tensor
    ) -> tuple[Optional[tf.Tensor], Optional[tf.Tensor]]:
        found = tf.equal(labels[:, :1], sampled)
        for column in range(1, static_size_of(labels, 1)):
            found = tf.logical_or(found, tf.equal(labels[:, column : column + 1], sampled))
        return None, found

    def tapas_scores(self, rows: tf.Tensor, inputs: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
        rows, inputs = tf.cast(rows, temperature.dtype), tf.cast(inputs, temperature.dtype)
        logits = tf.matmul(rows, inputs / temperature, transpose_b=True)
        return tf.reduce_logsumexp(logits, axis=1)

    def row_logits(
        self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        return row_logits(inputs, rows, biases, positions)

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
        return _as_returned(loss, gathered, name)

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

    def sum_of_negatives(self, gathered: Gathered) -> tf.Tensor:
        logits = _sampled_logits(_in_compute_dtype(gathered))
        if gathered.row_offset is not None:
            logits += gathered.row_offset[:, tf.newaxis]
        # An excluded logit is far below all others.
        negative = logits > _lowest(logits) / 2
        return tf.reduce_sum(tf.where(negative, logits, tf.zeros_like(logits)), axis=1)

    def logits(self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
        inputs, rows = tf.cast(inputs, biases.dtype), tf.cast(rows, biases.dtype)
        return products(inputs, rows) + biases

    def reduce(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        labels: tf.Tensor,
        kind: SumKind,
    ) -> Terms:
        return streaming.of_block(self.logits(inputs, rows, biases), labels, kind)

    def stream(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        labels: tf.Tensor,
        kind: SumKind,
    ) -> Terms:
        return streaming.of_rows(inputs, rows, biases, labels, kind)

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
    targets = tf.ones_like(true_logits) / gathered.num_true
    if size_of(gathered.sampled_positions, -1) == 0:
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
    """Returns the `[B, T]` corrected logits of the true classes."""
    if gathered.own_logits is not None:
        return gathered.own_logits[0] + gathered.true_offset
    rows = take(gathered.rows, gathered.true_positions)
    logits = tf.reduce_sum(tf.expand_dims(gathered.inputs, 1) * rows, axis=2)
    return logits + take(gathered.row_biases, gathered.true_positions) + gathered.true_offset


def _sampled_logits(gathered: Gathered, logit_of_hits: Optional[float] = None) -> tf.Tensor:
    """`[B, S]` corrected logits of the candidates; the lowest where one is no negative."""
    if gathered.own_logits is not None:
        logits = gathered.own_logits[1] + gathered.sampled_offset
        return _without_excluded(logits, gathered)
    if size_of(gathered.sampled_positions, 0) == 0:
        # In a function, TensorFlow fuses the product and the sum below into one oneDNN kernel,
        # which crashes the process if the matrix is empty.
        return tf.zeros([tf.shape(gathered.inputs)[0], 0], gathered.inputs.dtype)
    rows = take(gathered.rows, gathered.sampled_positions)
    logits = products(gathered.inputs, rows)
    biases = take(gathered.row_biases, gathered.sampled_positions)
    if logit_of_hits is None:
        biases = with_floor(biases)
    logits += biases + gathered.sampled_offset
    if gathered.hits is not None:
        logits = _without_hits(logits, gathered.hits, logit_of_hits)
    return _without_excluded(logits, gathered)


def with_floor(values: tf.Tensor) -> tf.Tensor:
    """Makes -∞ finite: such a class is no negative. A cross entropy would multiply -∞ by 0."""
    return tf.where(values < _lowest(values), _lowest(values), values)


def _without_excluded(logits: tf.Tensor, gathered: Gathered) -> tf.Tensor:
    if gathered.excluded is None:
        return logits
    return tf.where(gathered.excluded, _lowest(logits), logits)


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


def _as_returned(loss: tf.Tensor, gathered: Gathered, name: Optional[str]) -> tf.Tensor:
    loss = tf.cast(loss, gathered.inputs.dtype)
    return tf.ensure_shape(loss, [size_of(gathered.true_positions, 0)], name=name)
