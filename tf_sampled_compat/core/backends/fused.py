"""The losses of a `Gathered` by the C++ op: tiles of logits that never leave the cache.

The op sees the batch's rows, never the table. Importing `fused_gradients` registers its
derivatives.
"""

from __future__ import annotations

from typing import Optional

import tensorflow as tf

from tf_sampled_compat.core.backends import composite, library
from tf_sampled_compat.core.backends import (
    fused_gradients as fused_gradients,  # which registers them
)
from tf_sampled_compat.core.backends.interface import Gathered, Plan
from tf_sampled_compat.core.tf.shapes import size_of, with_shape

__all__ = composite.__all__


def class_ids(
    source: str,
    ids: tf.Tensor,
    weights_rows: Optional[int],
    biases_rows: Optional[int],
    num_classes: Optional[int] = None,
) -> tf.Tensor:
    """See `composite.class_ids`."""
    if (weights_rows, biases_rows) == (None, None) or not _known_by_op(ids):
        return composite.class_ids(source, ids, weights_rows, biases_rows, num_classes)
    known = {
        name: number
        for name, number in (
            ("weights_rows", weights_rows),
            ("biases_rows", biases_rows),
            ("num_classes", num_classes),
        )
        if number is not None
    }
    return library.load().ops.sampled_compat_class_ids(ids=ids, argument=source, **known)


def log_offset(argument: str, count: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """See `composite.log_offset`."""
    if not _known_by_op(count):
        return composite.log_offset(argument, count, dtype)
    return library.load().ops.sampled_compat_log_offset(counts=count, argument=argument, Tc=dtype)


def softmax_loss(problem: Gathered) -> tf.Tensor:
    """See `composite.softmax_loss`."""
    return _loss(problem, "softmax")


def sparse_softmax_loss(problem: Gathered) -> tf.Tensor:
    """See `composite.sparse_softmax_loss`: for one true class it is the same number."""
    return _loss(problem, "softmax")


def sigmoid_loss(problem: Gathered) -> tf.Tensor:
    """See `composite.sigmoid_loss`."""
    return _loss(problem, "sigmoid")


def negatives_and_true_logits(problem: Gathered, kind: str) -> tuple[tf.Tensor, tf.Tensor]:
    """See `composite.negatives_and_true_logits`."""
    ops = library.load().ops
    negatives, true_logits, _, _ = ops.sampled_compat_sampled_terms(**_inputs(problem), kind=kind)
    batch = size_of(problem.true_positions, 0)
    return with_shape(negatives, [batch]), with_shape(true_logits, [batch, problem.num_true])


def plan(labels: tf.Tensor, sampled: tf.Tensor, num_true: int, remove_hits: bool) -> Plan:
    """See `plan.plan`; one pass over the ids finds the hits as well."""
    if remove_hits:
        # TensorFlow's op takes a seed. Taking it keeps the draws that follow where they were.
        tf.compat.v1.get_seed(None)
    ids, sampled_positions, true_positions, hits = library.load().ops.sampled_compat_plan(
        labels=labels, sampled=sampled, find_hits=remove_hits
    )
    true_positions = with_shape(true_positions, [size_of(labels, 0), num_true])
    return Plan(ids, sampled_positions, true_positions, hits)


def tapas_scores(rows: tf.Tensor, inputs: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """See `composite.tapas_scores`; without the matrix of logits."""
    biases = tf.zeros(tf.shape(rows)[:1], temperature.dtype)
    return library.load().ops.sampled_compat_tapas_scores(
        inputs=inputs, rows=rows, biases=biases, temperature=temperature
    )


def full_log_sum_exp(inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
    """See `composite.full_log_sum_exp`."""
    return _full_reduce(inputs, rows, biases, "softmax")


def full_softplus_sum(inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
    """See `composite.full_softplus_sum`."""
    return _full_reduce(inputs, rows, biases, "sigmoid")


def full_top_k(
    inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, k: tf.Tensor, bar: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """See `composite.full_top_k`."""
    return library.load().ops.sampled_compat_full_top_k(
        inputs=inputs, weights=rows, biases=biases, k=k, bar=bar
    )


def _full_reduce(inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, kind: str) -> tf.Tensor:
    return library.load().ops.sampled_compat_full_reduce(
        inputs=inputs, weights=rows, biases=biases, kind=kind
    )


def _loss(problem: Gathered, kind: str) -> tf.Tensor:
    loss, _, _ = library.load().ops.sampled_compat_sampled_loss(**_inputs(problem), kind=kind)
    loss = with_shape(loss, [size_of(problem.true_positions, 0)])
    return tf.cast(loss, problem.inputs.dtype, name="loss")


def _inputs(problem: Gathered) -> dict[str, tf.Tensor]:
    """The inputs of the ops on a gathered batch."""
    sampled_offset = problem.sampled_offset
    if sampled_offset.shape.rank == 2:
        sampled_offset = tf.reshape(sampled_offset, [-1])  # `[1, S]`
    return {
        "inputs": problem.inputs,
        "rows": problem.rows,
        "biases": problem.row_biases,
        "sampled_positions": problem.sampled_positions,
        "true_positions": problem.true_positions,
        "hits": problem.hits,
        "true_offset": _spread(problem.true_offset, problem.true_positions),
        "sampled_offset": _spread(sampled_offset, problem.sampled_positions),
    }


def _spread(offset: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Broadcasts an offset to one number for each position."""
    if offset.shape.is_fully_defined() and offset.shape == positions.shape:
        return offset
    return tf.broadcast_to(offset, tf.shape(positions))


def _known_by_op(value: tf.Tensor) -> bool:
    """Whether only the running op will see a value: in eager mode Python checks it at once."""
    return not tf.executing_eagerly() and tf.get_static_value(value) is None
