"""The gradients of the C++ ops: of the first order other ops, of the second `composite`'s.

Differentiating a gradient op computes the first gradient anew in TensorFlow's ops and
differentiates that, so that every order of derivative works.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import tensorflow as tf

from tf_sampled_compat.core.backends import composite, library
from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.tf.shapes import size_of

tf.no_gradient("SampledCompat>ClassIds")


@tf.RegisterGradient("SampledCompat>LogOffset")
def _log_offset(op: tf.Operation, upstream: tf.Tensor) -> tf.Tensor:
    count = op.inputs[0]
    wide = tf.float64 if tf.float64 in (count.dtype, upstream.dtype) else tf.float32
    return tf.cast(-tf.cast(upstream, wide) / tf.cast(count, wide), count.dtype)


@tf.RegisterGradient("SampledCompat>SampledLoss")
def _sampled_loss(op: tf.Operation, upstream: tf.Tensor, *_: Any) -> list[Any]:
    _, log_sum, kept = op.outputs
    d_inputs, d_rows, d_biases, d_true_offset, d_sampled_offset = (
        library.load().ops.sampled_compat_sampled_loss_grad(
            *op.inputs, log_sum, kept, upstream, kind=op.get_attr("kind")
        )
    )
    return [d_inputs, d_rows, d_biases, None, None, None, d_true_offset, d_sampled_offset]


@tf.RegisterGradient("SampledCompat>SampledLossGrad")
def _sampled_loss_grad(op: tf.Operation, *cotangents: Any) -> list[Any]:
    inputs, rows, biases, sampled, true, hits, true_offset, sampled_offset = op.inputs[:8]
    upstream = op.inputs[10]
    loss_of = {b"softmax": composite.softmax_loss, b"sigmoid": composite.sigmoid_loss}

    def loss(inputs, rows, biases, true_offset, sampled_offset):
        return loss_of[op.get_attr("kind")](
            Gathered(
                inputs=inputs,
                rows=rows,
                row_biases=biases,
                sampled_positions=sampled,
                true_positions=true,
                hits=hits,
                true_offset=true_offset,
                sampled_offset=sampled_offset,
                num_true=size_of(true, 1) or tf.shape(true)[1],
                compute_dtype=upstream.dtype,
            )
        )

    primals = [inputs, rows, biases, true_offset, sampled_offset]
    *second, d_upstream = _second(loss, primals, upstream, cotangents)
    d_inputs, d_rows, d_biases, d_true_offset, d_sampled_offset = second
    by_input = [d_inputs, d_rows, d_biases, None, None, None, d_true_offset, d_sampled_offset]
    return [*by_input, None, None, d_upstream]


@tf.RegisterGradient("SampledCompat>FullReduce")
def _full_reduce(op: tf.Operation, upstream: tf.Tensor) -> list[Any]:
    return list(
        library.load().ops.sampled_compat_full_reduce_grad(
            *op.inputs, op.outputs[0], upstream, kind=op.get_attr("kind")
        )
    )


@tf.RegisterGradient("SampledCompat>FullReduceGrad")
def _full_reduce_grad(op: tf.Operation, *cotangents: Any) -> list[Any]:
    *primals, _, upstream = op.inputs
    reduced_of = {b"softmax": composite.full_log_sum_exp, b"sigmoid": composite.full_softplus_sum}
    reduced = reduced_of[op.get_attr("kind")]
    *second, d_upstream = _second(reduced, primals, upstream, cotangents)
    return [*second, None, d_upstream]


def _second(
    fn: Callable[..., tf.Tensor],
    primals: Sequence[tf.Tensor],
    upstream: tf.Tensor,
    cotangents: Sequence[Any],
) -> list[tf.Tensor]:
    """Returns the gradients, for primals and upstream, of Σ cotangent · (first gradient)."""
    with tf.GradientTape() as outer:
        outer.watch([*primals, upstream])
        with tf.GradientTape() as inner:
            inner.watch(primals)
            value = fn(*primals)
        first = inner.gradient(value, primals, tf.cast(upstream, value.dtype))
        total = tf.add_n(
            [
                tf.reduce_sum(tf.cast(g, upstream.dtype) * tf.cast(c, upstream.dtype))
                for g, c in zip(first, cotangents)
                if c is not None
            ]
        )
    return outer.gradient(
        total, [*primals, upstream], unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
