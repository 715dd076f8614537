"""The products of rows, which TensorFlow cannot always compute."""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.tf.shapes import size_of


def products(inputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns the `[B, n]` products of `[B, D]` inputs and `[n, D]` rows.

    In a function, TensorFlow fuses a matrix product and the sum with a vector into one oneDNN
    kernel, which crashes the process if D is 0.
    """
    if size_of(rows, 1) == 0:
        return tf.reduce_sum(inputs[:, tf.newaxis] * rows, axis=2)
    return tf.matmul(inputs, rows, transpose_b=True)
