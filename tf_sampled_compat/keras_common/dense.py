"""Conversions between a `SampledDense` and Keras's `Dense`, whose kernel is the transpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import errors

# The arguments that mean the same for both layers.
_SHARED = (
    "name",
    "trainable",
    "dtype",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "activity_regularizer",
)
# A loss of logits includes these.
_LEFT_OUT = ("linear", "softmax", "sigmoid")


def to_head(cls: Any, layer: Any, options: dict[str, Any]) -> Any:
    """Makes a head with the options and weights of a `Dense` layer.

    Args:
      cls: The class of the head.
      layer: The `Dense` layer.
      options: Arguments of the head that replace the layer's.

    Raises:
      ArgumentError: If `layer` is no `Dense`, has an activation that is not part of a loss, or is
        quantized.
    """
    keras = cls._keras
    if not isinstance(layer, keras.layers.Dense):
        errors.fail(
            "layer", f"a {keras.__name__}.layers.Dense", type(layer), errors.ArgumentTypeError
        )
    activation = getattr(layer.activation, "__name__", layer.activation)
    if activation not in _LEFT_OUT:
        errors.fail(
            "layer",
            f"the activation {', '.join(map(repr, _LEFT_OUT))} or none: a head returns logits",
            repr(activation),
        )
    if "kernel" in options:
        errors.fail("kernel", "none: the head gets the kernel of the Dense layer", "one to share")
    config = layer.get_config()
    shared = {key: config[key] for key in _SHARED if key in config}
    if activation != "linear":
        _check_activity("layer", shared.get("activity_regularizer"), repr(activation), options)
    quantized = getattr(layer, "quantization_mode", None)
    if quantized is not None:
        errors.fail(
            "layer",
            "a Dense layer of floating-point weights, as a head looks up rows of its kernel: make "
            "the head before the layer is quantized",
            f"one that is quantized to {quantized}",
        )
    head = cls(layer.units, **{**shared, **options})
    if layer.built:
        head.build((None, layer.kernel.shape[0]))
        _assign(head, tf.transpose(tf.convert_to_tensor(layer.kernel)), layer.bias)
    return head


def from_head(head: Any, options: dict[str, Any]) -> Any:
    """Makes a `Dense` layer with the options and weights of a head.

    Args:
      head: The head. If it shares its kernel, the layer gets a copy of the rows of its classes.
      options: Arguments of the `Dense` layer that replace the head's.
    """
    if head.normalize or head.temperature != 1:
        errors.fail(
            "to_dense",
            "a head with normalize=False and temperature=1, as a Dense layer has neither",
            f"normalize={head.normalize}, temperature={head.temperature}",
        )
    config = head.own_config()
    shared = {key: config[key] for key in _SHARED if key in config}
    activation = options.get("activation")
    if activation not in (None, "linear"):
        _check_activity("activation", head.activity_regularizer, repr(activation), options)
    layer = head._keras.layers.Dense(head.num_classes, **{**shared, **options})
    if head.built:
        kernel = tf.convert_to_tensor(head.kernel)[: head.num_classes]
        layer.build((None, kernel.shape[1]))
        layer.kernel.assign(tf.transpose(kernel))
        if head.bias is not None:
            layer.bias.assign(tf.convert_to_tensor(head.bias))
    return layer


def _check_activity(
    argument: str, regularizer: Any, activation: str, options: dict[str, Any]
) -> None:
    """Refuses a regularizer of the output beside an activation: it would see other values."""
    if regularizer is not None and "activity_regularizer" not in options:
        errors.fail(
            argument,
            "no activation beside an activity_regularizer, which sees the logits of a head: pass "
            "activity_regularizer=, which may be None, too",
            f"{activation} beside one",
        )


def stored_kernel(variables: dict[str, Any], shape: Any) -> dict[str, Any]:
    """Turns the kernel of a `Dense` layer's weights file; returns a head's as it is.

    Args:
      variables: What a weights file holds for a layer; "0" is the kernel.
      shape: `(num_classes, dim)`, the shape of the head's kernel.
    """
    kernel = variables.get("0")
    if kernel is None or shape[0] == shape[1] or tuple(kernel.shape) != tuple(shape)[::-1]:
        return variables
    return {**variables, "0": np.asarray(kernel).T}


def _assign(head: Any, kernel: tf.Tensor, bias: Any) -> None:
    head.kernel.assign(kernel)
    if head.bias is not None and bias is not None:
        head.bias.assign(tf.convert_to_tensor(bias))
