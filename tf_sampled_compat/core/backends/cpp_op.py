"""The backend that calls the C++ op, which computes tiles of logits that never leave the cache.

The op sees the batch's rows, never the table.
"""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.backends import (
    cpp_op_gradients,  # noqa: F401 (its import registers the gradients)
    library,
)
from tf_sampled_compat.core.backends.interface import (
    Backend,
    Gathered,
    IdSource,
    LossKind,
    Plan,
    SumKind,
    Terms,
)
from tf_sampled_compat.core.backends.tensorflow_ops import COMPOSITE
from tf_sampled_compat.core.tf.shapes import size_of, with_shape
from tf_sampled_compat.core.tf.take import take


class Fused(Backend):
    """See `interface.Backend`."""

    name = "fused"

    def check_ids(
        self,
        source: IdSource,
        ids: tf.Tensor,
        weights_rows: Optional[int],
        biases_rows: Optional[int],
        num_classes: Optional[int] = None,
    ) -> tf.Tensor:
        if (weights_rows, biases_rows) == (None, None) or not _unknown_until_run(ids):
            return COMPOSITE.check_ids(source, ids, weights_rows, biases_rows, num_classes)
        numbers = {
            "weights_rows": weights_rows,
            "biases_rows": biases_rows,
            "num_classes": num_classes,
        }
        known = {name: number for name, number in numbers.items() if number is not None}
        return _ops().sampled_compat_class_ids(ids=ids, argument=source, **known)

    def log_offset(self, argument: str, count: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        if not _unknown_until_run(count):
            return COMPOSITE.log_offset(argument, count, dtype)
        return _ops().sampled_compat_log_offset(counts=count, argument=argument, Tc=dtype)

    def plan(
        self, labels: tf.Tensor, sampled: tf.Tensor, *, num_true: int, find_hits: bool, unique: bool
    ) -> Plan:
        if find_hits:
            # TensorFlow's op takes a seed. Taking one here too keeps later draws unchanged.
            tf.compat.v1.get_seed(None)
        ids, sampled_positions, true_positions, hits = _ops().sampled_compat_plan(
            labels=labels, sampled=sampled, find_hits=find_hits, unique=unique
        )
        true_positions = with_shape(true_positions, [size_of(labels, 0), num_true])
        return Plan(ids, sampled_positions, true_positions, hits)

    def hits(self, labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
        plan = self.plan(labels, sampled, num_true=num_true, find_hits=True, unique=False)
        assert plan.hits is not None
        return plan.hits

    def every_copy(
        self, labels: tf.Tensor, sampled: tf.Tensor
    ) -> tuple[Optional[tf.Tensor], Optional[tf.Tensor]]:
        _, _, _, hits = _ops().sampled_compat_plan(
            labels=labels, sampled=sampled, find_hits=True, unique=False, all_copies=True
        )
        return hits, None

    def tapas_scores(self, rows: tf.Tensor, inputs: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
        biases = tf.zeros(tf.shape(rows)[:1], temperature.dtype)
        return _ops().sampled_compat_tapas_scores(
            inputs=inputs, rows=rows, biases=biases, temperature=temperature
        )

    def row_logits(
        self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        return _ops().sampled_compat_row_logits(
            inputs=inputs, rows=rows, biases=biases, positions=positions
        )

    def loss(self, gathered: Gathered, kind: LossKind, name: Optional[str] = None) -> tf.Tensor:
        if gathered.own_logits is not None:
            return COMPOSITE.loss(gathered, kind, name)  # `row_logits` did what costs.
        # With one true class a row the sparse loss is the same number.
        op_kind = "softmax" if kind == "sparse_softmax" else kind
        is_cast = gathered.inputs.dtype != gathered.compute_dtype
        loss, _, _ = _ops().sampled_compat_sampled_loss(
            **_inputs(gathered), kind=op_kind, name=None if is_cast else name
        )
        # The op checks the sizes when it runs, so that no other op has to.
        loss.set_shape([size_of(gathered.true_positions, 0)])
        return tf.cast(loss, gathered.inputs.dtype, name=name) if is_cast else loss

    def terms(self, gathered: Gathered, kind: SumKind) -> Terms:
        if gathered.own_logits is not None:
            return COMPOSITE.terms(gathered, kind)
        negatives, true_logits, _, _ = _ops().sampled_compat_sampled_terms(
            **_inputs(gathered), kind=kind
        )
        batch = size_of(gathered.true_positions, 0)
        true_logits = with_shape(true_logits, [batch, gathered.num_true])
        return Terms(with_shape(negatives, [batch]), true_logits)

    def sum_of_negatives(self, gathered: Gathered) -> tf.Tensor:
        if gathered.own_logits is not None:
            return COMPOSITE.sum_of_negatives(gathered)
        # The sum over all candidates is linear in their rows; the hits are few.
        dtype, positions = gathered.compute_dtype, gathered.sampled_positions
        inputs, rows = tf.cast(gathered.inputs, dtype), tf.cast(gathered.rows, dtype)
        biases = gathered.row_biases
        offset = _spread(gathered.sampled_offset, positions)
        row_offset = gathered.row_offset
        if row_offset is None:
            row_offset = tf.zeros(tf.shape(inputs)[:1], dtype)
        copies = tf.math.unsorted_segment_sum(tf.ones_like(offset), positions, tf.shape(rows)[0])
        total = tf.linalg.matvec(inputs, tf.linalg.matvec(rows, copies, transpose_a=True))
        total += tf.reduce_sum(copies * biases) + tf.reduce_sum(offset)
        total += row_offset * tf.cast(tf.size(positions), dtype)
        if gathered.hits is None:
            return total
        of_row, column = gathered.hits[:, 0], gathered.hits[:, 1]
        position = tf.gather(positions, column)
        hits = tf.reduce_sum(take(inputs, of_row) * take(rows, position), axis=1)
        hits += take(biases, position) + tf.gather(offset, column)
        hits += take(row_offset, of_row)
        return total - tf.math.unsorted_segment_sum(hits, of_row, tf.shape(inputs)[0])

    def logits(self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
        # The caller needs the whole matrix, so there is nothing to fuse.
        return COMPOSITE.logits(inputs, rows, biases)

    def reduce(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        labels: tf.Tensor,
        kind: SumKind,
    ) -> Terms:
        return Terms(
            *_ops().sampled_compat_full_reduce(
                inputs=inputs, weights=rows, biases=biases, labels=labels, kind=kind
            )
        )

    stream = reduce

    def top_k(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        k: tf.Tensor,
        bar: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        return _ops().sampled_compat_full_top_k(
            inputs=inputs, weights=rows, biases=biases, k=k, bar=bar
        )


FUSED = Fused()


def _ops() -> Any:
    """Returns the Python functions of the ops, which TensorFlow makes when it loads the library."""
    return library.load().ops


def _inputs(gathered: Gathered) -> dict[str, Any]:
    """The inputs of the ops on a gathered batch."""
    assert gathered.excluded is None  # `every_copy` and `plan` name candidates by pairs.
    sampled_offset = gathered.sampled_offset
    if sampled_offset.shape.rank == 2:
        sampled_offset = tf.reshape(sampled_offset, [-1])  # `[1, S]`
    return {
        "inputs": gathered.inputs,
        "rows": gathered.rows,
        "biases": gathered.row_biases,
        "sampled_positions": gathered.sampled_positions,
        "true_positions": gathered.true_positions,
        "hits": gathered.hits,
        "true_offset": _spread(gathered.true_offset, gathered.true_positions),
        "sampled_offset": _spread(sampled_offset, gathered.sampled_positions),
    }


def _spread(offset: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Broadcasts an offset to one number for each position."""
    if offset.shape.is_fully_defined() and offset.shape == positions.shape:
        return offset
    return tf.broadcast_to(offset, tf.shape(positions))


def _unknown_until_run(value: tf.Tensor) -> bool:
    """Whether only the running graph knows a value. Python checks an eager one at once."""
    return not tf.executing_eagerly() and tf.get_static_value(value) is None
