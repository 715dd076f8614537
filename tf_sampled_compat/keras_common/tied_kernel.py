"""Kernels that a head does not own: another layer's, or a variable's (tied weights)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.keras_common import private


class Described:
    """A layer rebuilt from a config, which may not be the original.

    Keras does not track the layer in this wrapper as a part of the head.

    Args:
      layer: The layer that Keras made from the description.
    """

    def __init__(self, layer: Any):
        self.layer = layer

    def find(self, inputs: Any) -> None:
        """Replaces the layer by its original, if the head's inputs come from that.

        They do in a copied functional model, and in one loaded by tf_keras, which does not restore
        shared layers.
        """
        if self.layer.built:
            return
        for layer in private.layers_behind(inputs):
            if type(layer) is type(self.layer) and layer.name == self.layer.name:
                self.layer = layer
                return


def check(source: Any, keras: Any) -> None:
    """Checks what was given as a kernel.

    Args:
      source: A layer or a variable.
      keras: The Keras of the head.

    Raises:
      ArgumentError: For anything else; also for a `tf.Variable` in Keras 3, which would not train
        it.
    """
    if isinstance(source, keras.layers.Layer):
        return
    variable = getattr(keras, "Variable", tf.Variable)
    if not isinstance(source, variable):
        errors.fail(
            "kernel",
            "an Embedding layer, another SampledDense layer, or a "
            f"{'keras.Variable' if variable is not tf.Variable else 'tf.Variable'} of shape "
            "[num_classes, dim]",
            source,
            errors.ArgumentTypeError,
        )


def table_of(source: Any, keras: Any) -> Any:
    """Returns the `[rows, dim]` variable in a layer (or a variable itself).

    Raises:
      ArgumentError: If the layer has none, or has not been built, as a copy of the layer the
        kernel was meant to be shared with.
    """
    if not isinstance(source, keras.layers.Layer):
        return source
    if not source.built:
        errors.fail(
            "kernel",
            "a layer that has been called (or built) before the head that shares its weights. (If "
            "the head was made from a config, the layer it is to share has not been found among "
            "those that its inputs come from: build the model with the code that built the "
            "original)",
            f"{type(source).__name__} {source.name!r}, which has not been built",
        )
    for attribute in ("embeddings", "kernel"):
        table = getattr(source, attribute, None)
        if table is not None and len(table.shape) == 2:
            return table
    errors.fail(
        "kernel",
        "a layer with a table of shape [num_classes, dim]: an Embedding or a SampledDense",
        f"{type(source).__name__} {source.name!r}",
    )


def check_shape(table: Any, num_classes: int, dim: int) -> None:
    """Checks that a shared table has a row for each class, as long as the inputs are."""
    rows, width = table.shape
    if width != dim or rows < num_classes:
        errors.fail(
            "kernel",
            f"a table of at least num_classes = {num_classes} rows of {dim} numbers, as the "
            "head's inputs have",
            f"shape {tuple(table.shape)}",
        )


def serialize(source: Any, keras: Any) -> Any:
    """Describes a shared kernel in a config.

    Within a model's file Keras 3 describes a layer it meets twice as one. Elsewhere the description
    makes another layer. It leaves out how to build it, so that a head which does not find the
    original (see `Described`) fails, rather than trains a kernel that is no longer shared.
    """
    if source is None:
        return None
    if not isinstance(source, keras.layers.Layer):
        raise ValueError(
            "kernel: expected a layer, to describe the SampledDense layer in a config, got a "
            "variable, which only the code that made it can make again. Pass the layer that owns "
            "the variable, or override get_config and from_config of the model"
        )
    config = keras.utils.serialize_keras_object(source)
    config.pop("build_config", None)  # In place: Keras goes on to mark it as shared.
    return config
