"""The terms over many rows in TensorFlow's ops, in blocks, forward and backward.

The backward pass computes the logits of a block again. So neither pass holds a `[B, n]` matrix.
"""

from __future__ import annotations

from typing import Any, Callable

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import SumKind, Terms
from tf_sampled_compat.core.tf.products import products
from tf_sampled_compat.core.tf.shapes import size_of

# Logits in a block: 16 MiB of float32. Rows, where the batch size is not known while tracing.
_BLOCK_LOGITS = 2**22
_STATIC_ROWS = 2**12
_FEWEST_ROWS = 16


def of_block(logits: tf.Tensor, labels: tf.Tensor, kind: SumKind) -> Terms:
    """Returns the terms of a `[B, n]` block of logits; see `interface.Backend.reduce`."""
    count = tf.shape(logits, tf.int64)[1]
    true, others = _true_logits(logits, labels, count), _without(logits, labels, count)
    if kind == "sigmoid":
        return Terms(tf.reduce_sum(tf.nn.softplus(others), axis=1), true)
    if kind != "softmax":
        raise ValueError(f"kind: expected a softmax or 'sigmoid', got {kind!r}")
    log_sum = tf.reduce_logsumexp(others, axis=1)
    none = tf.reduce_all(others <= _lowest(others), axis=1)
    return Terms(tf.where(none, tf.constant(-float("inf"), log_sum.dtype), log_sum), true)


def joined(kind: SumKind, one: Terms, other: Terms) -> Terms:
    """Returns the terms over two sets of rows. A true class has a logit of 0 in one of them."""
    logits = one.true_logits + other.true_logits
    if kind == "sigmoid":
        return Terms(one.negatives + other.negatives, logits)
    sums = tf.stack([one.negatives, other.negatives])
    none = tf.equal(sums, -float("inf"))
    # The gradient at -∞ would be NaN.
    total = tf.reduce_logsumexp(tf.where(none, _lowest(sums), sums), axis=0)
    missing = tf.constant(-float("inf"), total.dtype)
    return Terms(tf.where(tf.reduce_all(none, axis=0), missing, total), logits)


def of_rows(
    inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, labels: tf.Tensor, kind: SumKind
) -> Terms:
    """Returns the terms over many rows; see `interface.Backend.stream`."""

    @tf.custom_gradient
    def terms(inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tuple:
        blocks = _Blocks(inputs, rows, biases, labels, kind)
        negatives, true_logits = blocks.terms()

        def gradient(d_negatives: tf.Tensor, d_true_logits: tf.Tensor) -> list[tf.Tensor]:
            return blocks.gradient(negatives, d_negatives, d_true_logits)

        return (negatives, true_logits), gradient

    return Terms(*terms(inputs, rows, biases))


class _Blocks:
    """Visits the rows in blocks of one size; the last is filled up with rows that do not count.

    Args: See `interface.Backend.stream`.
    """

    def __init__(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        labels: tf.Tensor,
        kind: SumKind,
    ):
        self.dtype = biases.dtype
        self.kind: SumKind = kind
        self.given_inputs, self.rows, self.biases = inputs, rows, biases
        self.inputs = tf.cast(inputs, self.dtype)
        batch, total = size_of(inputs, 0), size_of(rows, 0)
        if total is None:
            self.total: Any = tf.shape(rows, tf.int64)[0]
        else:
            self.total = total
        # The last block has columns beyond the rows, which are no label's.
        self.labels = tf.where(labels < self.total, labels, tf.constant(-1, tf.int64))
        wanted = _STATIC_ROWS if batch is None else _BLOCK_LOGITS // max(batch, 1)
        self.size: Any = max(_FEWEST_ROWS, min(_STATIC_ROWS, wanted))
        if total is not None:
            self.size = max(1, min(self.size, total))
        self.count: Any = -(-self.total // self.size)

    def terms(self) -> Terms:
        """Returns the terms over all rows."""
        batch = tf.shape(self.inputs)[:1]
        none = tf.constant(-float("inf") if self.kind == "softmax" else 0.0, self.dtype)

        def body(number: tf.Tensor, state: tuple) -> tuple:
            logits, labels, _ = self._block(number)
            block = of_block(logits, labels, self.kind)
            return tuple(joined(self.kind, Terms(*state), block))

        start = tf.fill(batch, none), tf.zeros(tf.shape(self.labels), self.dtype)
        return Terms(*self._loop(body, start))

    def gradient(
        self, negatives: tf.Tensor, d_negatives: tf.Tensor, d_true_logits: tf.Tensor
    ) -> list[tf.Tensor]:
        """Returns the gradients by the inputs, rows and biases."""
        if isinstance(self.count, int) and self.count == 0:  # There is nothing to concatenate.
            return [tf.zeros_like(each) for each in (self.given_inputs, self.rows, self.biases)]
        # A row without negatives has exponentials of 0, for any finite reference.
        none = tf.equal(negatives, -float("inf"))
        reference = tf.where(none, tf.zeros_like(negatives), negatives)[:, tf.newaxis]
        shapes = [[self.size, size_of(self.rows, 1)], [self.size]]
        number = tf.cast(self.count, tf.int32)
        arrays = [tf.TensorArray(self.dtype, number, element_shape=shape) for shape in shapes]

        def body(number: tf.Tensor, state: tuple) -> tuple:
            d_inputs, *of_rows = state
            logits, labels, rows = self._block(number)
            count = tf.shape(logits, tf.int64)[1]
            others = _without(logits, labels, count)
            softmax = self.kind == "softmax"
            slopes = tf.exp(others - reference) if softmax else tf.sigmoid(others)
            slopes = slopes * d_negatives[:, tf.newaxis]
            slopes += _spread(d_true_logits, labels, count)
            places = tf.cast(number, tf.int32)
            d_rows = tf.matmul(slopes, self.inputs, transpose_a=True)
            of_rows = [
                array.write(places, value)
                for array, value in zip(of_rows, (d_rows, tf.reduce_sum(slopes, axis=0)))
            ]
            return (d_inputs + tf.matmul(slopes, rows), *of_rows)

        d_inputs, *of_rows = self._loop(body, (tf.zeros_like(self.inputs), *arrays))
        d_rows, d_biases = (array.concat()[: self.total] for array in of_rows)
        return [
            tf.cast(d_inputs, self.given_inputs.dtype),
            tf.cast(d_rows, self.rows.dtype),
            d_biases,
        ]

    def _block(self, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the logits of a block, its labels, and its rows in the dtype to compute in."""
        first = number * self.size
        ids = first + tf.range(self.size, dtype=tf.int64)
        there, ids = ids < self.total, tf.minimum(ids, self.total - 1)
        rows = tf.cast(tf.gather(self.rows, ids), self.dtype)
        logits = products(self.inputs, rows) + tf.gather(self.biases, ids)
        logits = tf.where(there, logits, _lowest(logits))
        return logits, self.labels - first, rows

    def _loop(self, body: Callable[[tf.Tensor, tuple], tuple], start: tuple) -> tuple:
        number = tf.constant(0, tf.int64)
        if isinstance(self.count, int) and self.count == 1:
            return body(number, start)
        known = isinstance(self.count, int)
        _, state = tf.while_loop(
            lambda number, _: number < self.count,
            lambda number, state: (number + 1, body(number, state)),
            (number, start),
            maximum_iterations=self.count if known else None,  # XLA needs it for gradients.
            parallel_iterations=1,
        )
        return state


def _true_logits(logits: tf.Tensor, labels: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns the `[B, T]` logits of the labels; 0 where one is none of the block's."""
    there = tf.logical_and(labels >= 0, labels < count)
    places = tf.where(there, labels, 0)
    return tf.where(there, tf.gather(logits, places, batch_dims=1), 0)


def _without(logits: tf.Tensor, labels: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns the logits, with the lowest in the place of the labels'."""
    places = tf.range(count)
    width = size_of(labels, 1)
    if width is None:
        found = tf.reduce_any(tf.equal(labels[:, :, tf.newaxis], places), axis=1)
    else:
        found = tf.zeros_like(logits, tf.bool)
        for column in range(width):
            found = tf.logical_or(found, tf.equal(labels[:, column : column + 1], places))
    return tf.where(found, _lowest(logits), logits)


def _spread(values: tf.Tensor, labels: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns `[B, n]`: the sum of a row's values whose label is the column."""
    places = tf.range(count)
    width = size_of(labels, 1)
    if width is None:
        same = tf.equal(labels[:, :, tf.newaxis], places)
        return tf.reduce_sum(tf.where(same, values[:, :, tf.newaxis], 0), axis=1)
    total: Any = 0
    for t in range(width):
        same = tf.equal(labels[:, t : t + 1], places)
        total += tf.where(same, values[:, t : t + 1], 0)
    return total


def _lowest(logits: tf.Tensor) -> tf.Tensor:
    # Its exponential is 0, and so is its softplus. -∞ would make NaN of a gradient.
    return tf.constant(logits.dtype.min / 2, logits.dtype)
