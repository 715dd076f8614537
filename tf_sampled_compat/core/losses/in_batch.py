"""The in-batch softmax loss: the candidates are activations, and each row has one of its own.

With q the queries, c the candidates (those of the batch, then the extra ones), τ the temperature
and E the expected count of a candidate's id, the corrected logit is

    l(i, j) = q_i · c_j / τ - log E(j)

The third way beside `sampled` and `full`: there is no table to look up, so that `prepare` makes all
tensors, and a backend gets them as rows that were looked up.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.typing import ScalarLike, TensorLike
from tf_sampled_compat.core.backends.choice import choose, describe
from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.losses import (
    composed,
    equal_ids,
    in_batch_arguments,
    in_batch_counts,
    scaling,
)
from tf_sampled_compat.core.losses.description import PLAIN, Composition
from tf_sampled_compat.core.tf.shapes import size_of

FUNCTION = "in_batch_softmax_loss"


@dataclasses.dataclass(frozen=True)
class InBatchLoss:
    """An in-batch loss: the caller's arguments; see `nn.in_batch_softmax_loss`.

    Attributes:
      queries: `[B, D]` activations.
      candidates: `[B, D]` activations; the i-th is the i-th query's own.
      candidate_ids: `[B]` integers or strings, or None.
      candidate_sampling_probability: `[B + K]`, or None.
      frequencies: A `LearnedUnigramSampler`, `Frequencies`, an array, or None.
      extra_candidates: `[K, D]` activations, or None.
      extra_ids: `[K]`, or None.
      extra_expected_counts: `[B]` and `[K]`: how often each candidate is expected among the extra
        ones, or None.
      mask: `[B]` booleans: False for a row that is neither a query nor a candidate; or None.
      remove_accidental_hits: Whether to leave every copy of a row's own id out of its negatives.
      temperature: τ.
      normalize: Whether a logit is a cosine.
      composition: Further terms; see `losses.composed`.
      learn: Whether a `LearnedUnigramSampler` learns the ids of the batch.
      implementation: "fused", "composite" or None.
      name: The caller's name for the operation.
    """

    queries: TensorLike
    candidates: TensorLike
    candidate_ids: Optional[TensorLike] = None
    candidate_sampling_probability: Optional[TensorLike] = None
    frequencies: Any = None
    extra_candidates: Optional[TensorLike] = None
    extra_ids: Optional[TensorLike] = None
    extra_expected_counts: Any = None
    mask: Optional[TensorLike] = None
    remove_accidental_hits: bool = True
    temperature: ScalarLike = 1.0
    normalize: bool = False
    composition: Composition = PLAIN
    learn: bool = True
    implementation: Optional[str] = None
    name: Optional[str] = None


class Batch(NamedTuple):
    """The tensors of an in-batch loss. N = B + K.

    Attributes:
      queries: `[B, D]`, already divided by the temperature.
      rows: `[N, D]`: all candidates.
      keys: `[N]` int64: candidates of the same key are the same. Each has its own if no hit is to
        be removed.
      offset: `[N]`: -log E, in the compute dtype.
      present: `[N]` booleans: False where a candidate is masked; None if all are present.
      dtype: The dtype of the loss.
      compute_dtype: The dtype to multiply, exponentiate and sum in.
      learned: The operations that learn the ids.
      temperature: What the queries were divided by, in the compute dtype; None for 1.
    """

    queries: tf.Tensor
    rows: tf.Tensor
    keys: tf.Tensor
    offset: tf.Tensor
    present: Optional[tf.Tensor]
    dtype: tf.DType
    compute_dtype: tf.DType
    learned: list[tf.Operation]
    temperature: Optional[tf.Tensor]


class OwnCandidate(NamedTuple):
    """The true class of a query: see `composed.TrueClasses`."""

    num_true: int = 1
    true_mask: Optional[tf.Tensor] = None
    label_weights: Optional[tf.Tensor] = None
    part_weights: Optional[tf.Tensor] = None
    temperature: Optional[tf.Tensor] = None


def in_batch_loss(loss: InBatchLoss) -> tf.Tensor:
    """Computes the `[B]` losses, in the dtype of the queries."""
    checks.name(loss.name)
    with tf.name_scope(loss.name or FUNCTION):
        batch = prepare(loss)
        about = describe(inputs=batch.queries, weights=[batch.rows], biases=[])
        backend = choose(loss.implementation, about, FUNCTION)
        gathered = _gathered(batch, by_pairs=backend.name == "fused")
        if loss.composition == PLAIN:
            values = backend.loss(gathered, "softmax")
        else:
            own = OwnCandidate(temperature=batch.temperature)
            values = composed.of_gathered(backend, gathered, "softmax", own, loss.composition)
        values = errors.after(batch.learned, values)
        if batch.present is not None:
            size = tf.shape(values)[0]
            values = tf.where(batch.present[:size], values, tf.zeros_like(values))
        return tf.cast(values, batch.dtype)


def in_batch_logits(loss: InBatchLoss) -> tf.Tensor:
    """Computes the `[B, N]` corrected logits, in the compute dtype; learns nothing.

    The logit of a candidate that is no negative of the row is so low that its probability is zero.
    """
    batch = prepare(dataclasses.replace(loss, learn=False))
    dtype = batch.compute_dtype
    queries, rows = tf.cast(batch.queries, dtype), tf.cast(batch.rows, dtype)
    logits = tf.matmul(queries, rows, transpose_b=True) + batch.offset
    own = equal_ids.matrix(tf.range(tf.shape(logits)[0]), tf.range(tf.shape(logits)[1]))
    negative = tf.logical_not(_excluded(batch))
    lowest = tf.constant(dtype.min / 2, dtype)
    return tf.where(tf.logical_or(own, negative), logits, lowest)


def prepare(loss: InBatchLoss) -> Batch:
    """Converts and checks the arguments, and looks the expected counts up."""
    tensors = in_batch_arguments.activations(
        loss.queries, loss.candidates, loss.extra_candidates, loss.mask
    )
    ids = in_batch_arguments.ids(loss.candidate_ids, loss.extra_ids, tensors)
    rows = tensors.rows()
    dtype = tensors.queries.dtype
    compute_dtype = tf.float64 if dtype == tf.float64 else tf.float32
    law = in_batch_counts.Law(
        loss.frequencies, loss.candidate_sampling_probability, loss.extra_expected_counts
    )
    counts, learned = in_batch_counts.expected(law, ids, tensors, learn=loss.learn)
    if counts is None:
        offset = tf.zeros(tf.shape(rows)[:1], compute_dtype)
    else:
        offset = tf.cast(-tf.math.log(counts), compute_dtype)
    queries = tensors.queries
    if loss.normalize:
        queries, rows = (scaling.unit(tf.cast(t, compute_dtype)) for t in (queries, rows))
    temperature = _temperature(loss.temperature, compute_dtype)
    if temperature is not None:
        queries = tf.cast(queries, compute_dtype) / temperature
    removes = checks.flag("remove_accidental_hits", loss.remove_accidental_hits)
    keys = ids if ids is not None and removes else None
    return Batch(
        queries=queries,
        rows=rows,
        keys=in_batch_arguments.keys(keys, rows),
        offset=offset,
        present=tensors.present(),
        dtype=dtype,
        compute_dtype=compute_dtype,
        learned=learned,
        temperature=temperature,
    )


def _temperature(value: Any, dtype: tf.DType) -> Optional[tf.Tensor]:
    """Converts the temperature; 1 costs nothing."""
    if isinstance(value, (int, float)) and value == 1:
        return None
    return tf.cast(scaling.temperature("temperature", value), dtype)


def _excluded(batch: Batch) -> tf.Tensor:
    """Returns `[B, N]`: whether a candidate is no negative of the row, as its own is not."""
    size = tf.shape(batch.queries)[0]
    excluded = equal_ids.matrix(batch.keys[:size], batch.keys)
    if batch.present is None:
        return excluded
    return tf.logical_or(excluded, tf.logical_not(batch.present))


def _gathered(batch: Batch, *, by_pairs: bool) -> Gathered:
    """Returns the batch as a backend wants it.

    Args:
      batch: The tensors.
      by_pairs: Whether to name the candidates to leave out by pairs, for the C++ op. The composite
        backend computes a `[B, N]` matrix anyway, and takes a mask of that shape.
    """
    size, total = tf.shape(batch.queries)[0], tf.shape(batch.rows)[0]
    own, sampled, offset, excluded, hits = tf.range(size), tf.range(total), batch.offset, None, None
    if not by_pairs:
        excluded = _excluded(batch)
    elif batch.present is None:
        hits = equal_ids.pairs(batch.keys[:size], batch.keys)
    else:
        sampled = tf.where(batch.present)[:, 0]
        offset = tf.gather(offset, sampled)
        hits = equal_ids.pairs(batch.keys[:size], tf.gather(batch.keys, sampled))
        sampled = tf.cast(sampled, tf.int32)
    static = size_of(batch.queries, 0)
    return Gathered(
        inputs=batch.queries,
        rows=batch.rows,
        row_biases=tf.zeros([total], batch.compute_dtype),
        sampled_positions=sampled,
        true_positions=tf.ensure_shape(own[:, tf.newaxis], [static, 1]),
        hits=hits,
        true_offset=batch.offset[:size, tf.newaxis],
        sampled_offset=offset,
        num_true=1,
        compute_dtype=batch.compute_dtype,
        excluded=excluded,
    )
