"""The logits of classes that differ from row to row, in TensorFlow's ops and in bounded memory.

The C++ op is in `custom_ops/kernels/row_logits.cc`.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import tensorflow as tf

from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of
from tf_sampled_compat.core.tf.take import take

# Numbers in a chunk of gathered rows: 8 MiB of float32. A chunk has a column, even if it is larger.
CHUNK_NUMBERS = 2**21

# Numbers in a chunk, and the columns that have so many: integers, or tensors if only the run knows.
_Size = Any


def row_logits(
    inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, positions: tf.Tensor
) -> tf.Tensor:
    """See `interface.Backend.row_logits`."""
    inputs, rows = tf.cast(inputs, biases.dtype), tf.cast(rows, biases.dtype)
    return _products(inputs, rows, positions) + take(biases, positions)


def _products(inputs: tf.Tensor, rows: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Returns `[B, N]`: inputs[b] · rows[positions[b, n]]."""
    sizes = [size_of(positions, 0), size_of(positions, 1), size_of(rows, 1)]
    is_small = None not in sizes and math.prod(size or 0 for size in sizes) <= CHUNK_NUMBERS
    if is_small or size_of(rows, 1) == 0:
        return _of_chunk(inputs, rows, positions)
    products = _in_chunks(inputs, rows, positions)
    return tf.ensure_shape(products, positions.shape)


def _of_chunk(inputs: tf.Tensor, rows: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    # No matrix product: an empty one crashes in oneDNN (see `tensorflow_ops`).
    return tf.reduce_sum(inputs[:, tf.newaxis] * take(rows, positions), axis=2)


@tf.custom_gradient
def _in_chunks(
    inputs: tf.Tensor, rows: tf.Tensor, positions: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], Any]]:
    """Does the same chunk by chunk. The gradient gathers again what the chunks do not keep."""

    def gradient(upstream: tf.Tensor) -> Any:
        return (*_gradients(inputs, rows, positions, upstream), None)

    def write(i: tf.Tensor, products: tf.TensorArray) -> Any:
        return i + 1, products.write(i, _of_chunk(inputs, rows, chunks[i]))

    chunks, number = _chunks(positions, _width(inputs, CHUNK_NUMBERS))
    products = tf.TensorArray(inputs.dtype, number, element_shape=chunks.shape[1:])
    _, products = _loop(number, write, products)
    joined = tf.transpose(products.stack(), [1, 0, 2])
    return _joined(joined, positions), gradient


def _gradients(
    inputs: tf.Tensor, rows: tf.Tensor, positions: tf.Tensor, upstream: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the gradients by the inputs and the rows."""
    numbers: _Size = CHUNK_NUMBERS
    if not private.in_xla_context():
        # Each chunk copies the gradient of all rows, so it is not to be smaller than they are.
        numbers = tf.maximum(numbers, tf.size(rows))
    width = _width(inputs, numbers)
    chunks, number = _chunks(positions, width)
    factors, _ = _chunks(upstream, width)

    def add(i: tf.Tensor, state: Any) -> Any:
        d_inputs, d_rows = state
        factor = factors[i][:, :, tf.newaxis]
        d_inputs += tf.reduce_sum(factor * take(rows, chunks[i]), axis=1)
        updates = factor * inputs[:, tf.newaxis]
        return i + 1, (d_inputs, tf.tensor_scatter_nd_add(d_rows, chunks[i][..., None], updates))

    _, state = _loop(number, add, (tf.zeros_like(inputs), tf.zeros_like(rows)))
    return state


def _width(inputs: tf.Tensor, numbers: _Size) -> _Size:
    """Returns the columns of a chunk."""
    known = size_of(inputs, 0), size_of(inputs, 1)
    if None not in known and isinstance(numbers, int):
        return max(1, numbers // max(1, math.prod(size or 0 for size in known)))
    return tf.maximum(1, numbers // tf.maximum(1, tf.size(inputs)))


def _chunks(matrix: tf.Tensor, width: _Size) -> tuple[tf.Tensor, _Size]:
    """Cuts `[B, N]` into `[number, B, width]`, filled up with zeros, and returns the number too."""
    columns = size_of(matrix, 1)
    columns = tf.shape(matrix)[1] if columns is None else columns
    number = (columns + width - 1) // width
    # A stack of no chunks would have no shape.
    number = max(number, 1) if isinstance(number, int) else tf.maximum(number, 1)
    filled = tf.pad(matrix, [[0, 0], [0, number * width - columns]])
    shaped = tf.reshape(filled, [tf.shape(matrix)[0], number, width])
    return tf.transpose(shaped, [1, 0, 2]), number


def _joined(chunks: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Joins `[B, number, width]` to the shape of `matrix`."""
    shape = tf.shape(chunks)
    joined = tf.reshape(chunks, [shape[0], shape[1] * shape[2]])
    return joined[:, : tf.shape(matrix)[1]]


def _loop(number: _Size, body: Callable[[tf.Tensor, Any], Any], state: Any) -> Any:
    # One at a time, so that one chunk is in memory.
    return tf.while_loop(
        lambda i, _: i < number,
        body,
        (tf.constant(0), state),
        parallel_iterations=1,
        maximum_iterations=number,
    )
