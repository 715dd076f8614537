"""The other functions of TensorFlow 1.15's `tf.contrib.nn`, built from public TF 2 ops."""

from __future__ import annotations

import numbers
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.arguments.typing import ScalarLike, TensorLike

__all__ = [
    "alpha_dropout",
    "conv1d_transpose",
    "deprecated_flipped_sigmoid_cross_entropy_with_logits",
    "deprecated_flipped_softmax_cross_entropy_with_logits",
    "deprecated_flipped_sparse_softmax_cross_entropy_with_logits",
    "nth_element",
    "scaled_softplus",
]

# The value of a dropped unit: SELU's limit at minus infinity, -scale * alpha.
_DROPPED = -1.7580993408473766


def alpha_dropout(
    x: TensorLike,
    keep_prob: ScalarLike,
    noise_shape: Optional[TensorLike] = None,
    seed: Optional[int] = None,
    name: Optional[str] = None,
) -> tf.Tensor:
    r"""Drops units to SELU's lower limit and keeps the mean and variance of the rest.

    .. math::
        y = a \, (x m + \alpha' (1 - m)) + b, \quad
        a = (q + q (1 - q) \alpha'^2)^{-1/2}, \quad b = -a \alpha' (1 - q)

    with m the 0/1 mask, q `keep_prob` and :math:`\alpha' \approx -1.758`.

    >>> y = tsc.contrib.nn.alpha_dropout(tf.ones([2, 3]), keep_prob=0.9, seed=1)
    >>> y.shape
    TensorShape([2, 3])

    Args:
      x: `[...]` activations of a floating dtype.
      keep_prob: A scalar in (0, 1]: the probability that a unit is kept.
      noise_shape: The shape of the mask, which broadcasts; by default that of `x`.
      seed: The operation seed; the mask is the one that TensorFlow 1.15 draws with it.
      name: A name for the operation.

    Returns:
      A tensor of the shape and dtype of `x`; `x` itself if `keep_prob` is 1.

    Raises:
      ValueError: If `keep_prob` is a number outside (0, 1].

    Source: `tf.contrib.nn` of TensorFlow 1.15; Klambauer et al., 2017, arXiv:1706.02515.
    """
    checks.name(name)
    seed = checks.op_seed(seed)
    with tf.compat.v1.name_scope(name, "alpha_dropout", [x]):
        values = _floating("x", x)
        if isinstance(keep_prob, numbers.Real) and not 0 < float(keep_prob) <= 1:
            errors.fail("keep_prob", "a scalar in (0, 1]", keep_prob)
        q = as_tensor("keep_prob", keep_prob, "a scalar in (0, 1]", values.dtype)
        if tf.get_static_value(q) == 1:
            return values
        shape = tf.shape(values) if noise_shape is None else noise_shape
        drawn = tf.random.uniform(shape, seed=seed, dtype=values.dtype)
        mask = tf.cast(drawn >= 1 - q, values.dtype)
        a = (q + q * (1 - q) * _DROPPED**2) ** -0.5
        return a * (values * mask + _DROPPED * (1 - mask)) - a * _DROPPED * (1 - q)


def scaled_softplus(
    x: TensorLike,
    alpha: TensorLike,
    clip: Optional[TensorLike] = None,
    name: Optional[str] = None,
) -> tf.Tensor:
    r"""Computes a softplus that tends to ReLU as `alpha` tends to 0, or to ReLU6 with `clip=6`.

    .. math:: y = \min(\alpha \log(1 + e^{x / \alpha}), \text{clip})

    >>> y = tsc.contrib.nn.scaled_softplus(tf.constant([-9.0, 0.0, 9.0]), 1.0, clip=6.0)
    >>> print(y.numpy().round(3))
    [0.    0.693 6.   ]

    Args:
      x: A tensor of a floating dtype.
      alpha: The smoothness, positive. It broadcasts with `x` and receives a gradient.
      clip: The upper bound, or None. It broadcasts with `x`; where y reaches it, it receives the
        whole gradient.
      name: A name for the operation.

    Returns:
      A tensor of the dtype of `x`, of the shape that `x`, `alpha` and `clip` broadcast to.

    Source: `tf.contrib.nn` of TensorFlow 1.15.
    """
    checks.name(name)
    with tf.compat.v1.name_scope(name, "scaled_softplus"):
        values = _floating("x", x)
        smoothness = as_tensor("alpha", alpha, "positive numbers", values.dtype)
        y = smoothness * tf.nn.softplus(values / smoothness)
        if clip is None:
            return y
        bound = as_tensor("clip", clip, "numbers or None", values.dtype)
        # Not tf.minimum, which gives a tie's gradient to y.
        return tf.where(y < bound, y, bound)


def nth_element(
    input: TensorLike, n: ScalarLike, reverse: bool = False, name: Optional[str] = None
) -> tf.Tensor:
    """Returns the n-th smallest value along the last dimension, counted from 0.

    >>> print(tsc.contrib.nn.nth_element(tf.constant([5.0, 9.0, 7.0]), 1).numpy())
    7.0

    Args:
      input: `[..., N]` numbers.
      n: A scalar int32 from 0 to N - 1.
      reverse: Whether to count from the largest.
      name: A name for the operation.

    Returns:
      A `[...]` tensor of the dtype of `input`.

    Source: `tf.contrib.nn` of TensorFlow 1.15.
    """
    checks.name(name)
    return tf.raw_ops.NthElement(
        input=as_tensor("input", input),
        n=as_tensor("n", n, "a scalar int32", tf.int32),
        reverse=checks.flag("reverse", reverse),
        name=name,
    )


def conv1d_transpose(
    input: TensorLike,
    filters: TensorLike,
    output_shape: TensorLike,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NWC",
    dilations: Any = None,
    name: Optional[str] = None,
) -> tf.Tensor:
    """Computes the transpose of a 1-D convolution, by TensorFlow 2's `tf.nn.conv1d_transpose`.

    >>> y = tsc.contrib.nn.conv1d_transpose(tf.ones([1, 4, 2]), tf.ones([3, 5, 2]), [1, 8, 5], 2)
    >>> y.shape
    TensorShape([1, 8, 5])

    Args:
      input: `[batch_size, width, in_channels]` values, or "NCW" ones; see `data_format`.
      filters: `[filter_width, out_channels, in_channels]` weights.
      output_shape: The three sizes of the result.
      strides: One int, or a list of one or three: the step along the width.
      padding: "SAME" or "VALID".
      data_format: "NWC" or "NCW".
      dilations: As in `tf.nn.conv1d_transpose`: None, one int, or a list of one or three.
      name: A name for the operation.

    Returns:
      A tensor of shape `output_shape` and of the dtype of `input`.

    Raises:
      ValueError: If the shapes do not fit one another, or an option is unknown.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn/conv1d_transpose.
    """
    return tf.nn.conv1d_transpose(
        input, filters, output_shape, strides, padding, data_format, dilations, name
    )


def deprecated_flipped_softmax_cross_entropy_with_logits(
    logits: TensorLike, labels: TensorLike, dim: int = -1, name: Optional[str] = None
) -> tf.Tensor:
    r"""Computes TF 1's softmax cross entropy, with `logits` before `labels`.

    .. math:: \ell_i = -\sum_c y_{i,c} \log \text{softmax}(z_i)_c

    with z the logits and y the labels. No gradient passes to `labels`, as in TensorFlow 1.

    >>> loss = tsc.contrib.nn.deprecated_flipped_softmax_cross_entropy_with_logits(
    ...     tf.zeros([2, 4]), tf.one_hot([0, 3], 4))
    >>> print(loss.numpy())  # log(4)
    [1.3862944 1.3862944]

    Args:
      logits: `[..., num_classes]` scores of a floating dtype.
      labels: `[..., num_classes]` probabilities, which sum to 1 over `dim`.
      dim: The dimension of the classes.
      name: A name for the operation.

    Returns:
      A tensor of losses in nats, of the dtype of `logits` and their shape without `dim`.

    Source: `tf.contrib.nn` of TensorFlow 1.15.
    """
    if name is None:
        name = "softmax_cross_entropy_with_logits"
    labels = tf.stop_gradient(tf.convert_to_tensor(labels, dtype=_dtype(logits)))
    return tf.nn.softmax_cross_entropy_with_logits(labels, logits, axis=dim, name=name)


def deprecated_flipped_sparse_softmax_cross_entropy_with_logits(
    logits: TensorLike, labels: TensorLike, name: Optional[str] = None
) -> tf.Tensor:
    r"""Computes the sparse softmax cross entropy, with `logits` before `labels`.

    .. math:: \ell_i = -\log \text{softmax}(z_i)_{y_i}

    with z the logits and y the labels.

    >>> loss = tsc.contrib.nn.deprecated_flipped_sparse_softmax_cross_entropy_with_logits(
    ...     tf.zeros([2, 4]), tf.constant([0, 3]))
    >>> print(loss.numpy())  # log(4)
    [1.3862944 1.3862944]

    Args:
      logits: `[..., num_classes]` scores of a floating dtype.
      labels: `[...]` integer class ids.
      name: A name for the operation.

    Returns:
      A `[...]` tensor of losses in nats, of the dtype of `logits`.

    Source: `tf.contrib.nn` of TensorFlow 1.15.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits, name=name)


def deprecated_flipped_sigmoid_cross_entropy_with_logits(
    logits: TensorLike, targets: TensorLike, name: Optional[str] = None
) -> tf.Tensor:
    r"""Computes the sigmoid cross entropy, with `logits` before `targets`.

    .. math:: \ell = -y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))

    with z the logits and y the targets.

    >>> loss = tsc.contrib.nn.deprecated_flipped_sigmoid_cross_entropy_with_logits(
    ...     tf.zeros([2]), tf.constant([0.0, 1.0]))
    >>> print(loss.numpy())  # log(2)
    [0.6931472 0.6931472]

    Args:
      logits: Scores of a floating dtype.
      targets: Probabilities, of the shape and dtype of `logits`.
      name: A name for the operation.

    Returns:
      A tensor of losses in nats, of the shape and dtype of `logits`.

    Raises:
      ValueError: If the shapes differ.

    Source: `tf.contrib.nn` of TensorFlow 1.15.
    """
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name=name)


def _floating(argument: str, value: Any) -> tf.Tensor:
    tensor = as_tensor(argument, value)
    if not tensor.dtype.is_floating:
        expected = "a tensor of a floating dtype"
        errors.fail(argument, expected, checks.kind(tensor), errors.ArgumentTypeError)
    return tensor


def _dtype(logits: TensorLike) -> tf.DType:
    return tf.convert_to_tensor(logits).dtype
