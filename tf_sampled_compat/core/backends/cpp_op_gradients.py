"""The gradients of the C++ ops. The first order uses gradient ops, the second uses `composite`.

To differentiate a gradient op, the first gradient is recomputed by TensorFlow's ops and
differentiated. So derivatives of every order work.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Callable

import tensorflow as tf

from tf_sampled_compat.core.backends import library
from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.backends.tensorflow_ops import COMPOSITE
from tf_sampled_compat.core.tf.shapes import size_of

tf.no_gradient("SampledCompat>ClassIds")


@tf.RegisterGradient("SampledCompat>LogOffset")
def _log_offset(op: tf.Operation, upstream: tf.Tensor) -> tf.Tensor:
    count = op.inputs[0]
    wide = tf.float64 if tf.float64 in (count.dtype, upstream.dtype) else tf.float32
    return tf.cast(-tf.cast(upstream, wide) / tf.cast(count, wide), count.dtype)


@tf.RegisterGradient("SampledCompat>SampledLoss")
def _sampled_loss(op: tf.Operation, upstream: tf.Tensor, *_: Any) -> list[Any]:
    _, normalizer, kept = op.outputs
    gradients = library.load().ops.sampled_compat_sampled_loss_grad(
        *op.inputs, normalizer, kept, upstream, kind=op.get_attr("kind")
    )
    return _by_input(gradients)


@tf.RegisterGradient("SampledCompat>SampledTerms")
def _sampled_terms(
    op: tf.Operation, d_negatives: tf.Tensor, d_true_logits: tf.Tensor, *_: Any
) -> list[Any]:
    _, _, normalizer, kept = op.outputs
    gradients = library.load().ops.sampled_compat_sampled_terms_grad(
        *op.inputs, normalizer, kept, d_negatives, d_true_logits, kind=op.get_attr("kind")
    )
    return _by_input(gradients)


@tf.RegisterGradient("SampledCompat>SampledLossGrad")
def _sampled_loss_grad(op: tf.Operation, *cotangents: Any) -> list[Any]:
    loss = functools.partial(COMPOSITE.loss, kind=_kind(op))
    return _sampled_second(op, loss, cotangents)


@tf.RegisterGradient("SampledCompat>SampledTermsGrad")
def _sampled_terms_grad(op: tf.Operation, *cotangents: Any) -> list[Any]:
    terms = functools.partial(COMPOSITE.terms, kind=_kind(op))
    return _sampled_second(op, terms, cotangents)


def _kind(op: tf.Operation) -> Any:
    """Returns the op's attribute `kind`, a `SumKind`."""
    return op.get_attr("kind").decode()


def _by_input(gradients: Sequence[Any]) -> list[Any]:
    """Assigns the five gradients of an op on a gathered batch to its eight inputs."""
    d_inputs, d_rows, d_biases, d_true_offset, d_sampled_offset = gradients
    return [d_inputs, d_rows, d_biases, None, None, None, d_true_offset, d_sampled_offset]


def _sampled_second(
    op: tf.Operation, composite_of: Callable[[Gathered], Any], cotangents: Sequence[Any]
) -> list[Any]:
    """Returns the gradients of a gradient op on a gathered batch.

    Args:
      op: The gradient op. Its inputs are the eight of the forward op, `normalizer`, `kept`, and the
        upstream gradients of the forward op's results.
      composite_of: Computes the forward op's results.
      cotangents: The gradients of the op's outputs.
    """
    inputs, rows, biases, sampled, true, hits, true_offset, sampled_offset = op.inputs[:8]
    upstream = op.inputs[10:]

    def results(inputs, rows, biases, true_offset, sampled_offset):
        return composite_of(
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
                compute_dtype=biases.dtype,
            )
        )

    primals = [inputs, rows, biases, true_offset, sampled_offset]
    second, d_upstream = _second(results, primals, upstream, cotangents)
    return [*_by_input(second), None, None, *d_upstream]


@tf.RegisterGradient("SampledCompat>RowLogits")
def _row_logits(op: tf.Operation, upstream: tf.Tensor) -> list[Any]:
    return [*library.load().ops.sampled_compat_row_logits_grad(*op.inputs, upstream), None]


@tf.RegisterGradient("SampledCompat>RowLogitsGrad")
def _row_logits_grad(op: tf.Operation, *cotangents: Any) -> list[Any]:
    *primals, positions, upstream = op.inputs
    logits = functools.partial(COMPOSITE.row_logits, positions=positions)
    second, d_upstream = _second(logits, primals, [upstream], cotangents)
    return [*second, None, *d_upstream]


@tf.RegisterGradient("SampledCompat>FullReduce")
def _full_reduce(op: tf.Operation, *upstream: tf.Tensor) -> list[Any]:
    d_inputs, d_weights, d_biases = library.load().ops.sampled_compat_full_reduce_grad(
        *op.inputs, op.outputs[0], *upstream, kind=op.get_attr("kind")
    )
    return [d_inputs, d_weights, d_biases, None]


@tf.RegisterGradient("SampledCompat>FullReduceGrad")
def _full_reduce_grad(op: tf.Operation, *cotangents: Any) -> list[Any]:
    labels = op.inputs[3]
    terms = functools.partial(COMPOSITE.stream, labels=labels, kind=_kind(op))
    second, d_upstream = _second(terms, op.inputs[:3], op.inputs[5:], cotangents)
    return [*second, None, None, *d_upstream]


def _second(
    fn: Callable[..., Any],
    primals: Sequence[tf.Tensor],
    upstream: Sequence[tf.Tensor],
    cotangents: Sequence[Any],
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Returns the gradients of Σ cotangent · (first gradient) by the primals and the upstream.

    Args:
      fn: Computes one or more tensors from the primals.
      primals: Its arguments.
      upstream: The gradient of each tensor that it returns.
      cotangents: The gradient of each first gradient, or None.
    """
    zero = tf.UnconnectedGradients.ZERO
    dtype = upstream[0].dtype
    watched = [*primals, *upstream]
    with tf.GradientTape() as outer:
        outer.watch(watched)
        with tf.GradientTape() as inner:
            inner.watch(primals)
            values = tf.nest.flatten(fn(*primals))
        casts = [tf.cast(u, value.dtype) for u, value in zip(upstream, values)]
        first = inner.gradient(values, primals, casts, unconnected_gradients=zero)
        total = tf.add_n(
            [
                tf.reduce_sum(tf.cast(g, dtype) * tf.cast(c, dtype))
                for g, c in zip(first, cotangents)
                if c is not None
            ]
        )
    gradients = outer.gradient(total, watched, unconnected_gradients=zero)
    return gradients[: len(primals)], gradients[len(primals) :]
