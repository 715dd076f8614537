"""Tied weights: kernels that belong to another layer, or that are a variable."""

from __future__ import annotations

from typing import Any, Optional

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
        """Replaces the layer by its original, if the head's inputs come from the original.

        This is so in a copied functional model. It is so too in one that tf_keras loaded, because
        tf_keras does not restore shared layers.
        """
        if self.layer.built:
            return
        for layer in private.layers_behind(inputs):
            if type(layer) is type(self.layer) and layer.name == self.layer.name:
                self.layer = layer
                return


def described(name: str, description: Any, keras: Any) -> Described:
    """Returns the layer that a config describes by an entry of this name.

    Raises:
      ArgumentTypeError: If it describes something else.
    """
    layer = keras.utils.deserialize_keras_object(description)
    if not isinstance(layer, keras.layers.Layer):
        errors.fail(name, "the description of a layer", description, errors.ArgumentTypeError)
    return Described(layer)


def check(source: Any, num_classes: int, keras: Any) -> None:
    """Checks the argument `kernel` of a head, as far as the sizes are known.

    Args:
      source: A layer or a variable.
      num_classes: The number of rows that the head needs.
      keras: The Keras of the head.

    Raises:
      ArgumentError: For any other type, for a `tf.Variable` in Keras 3, which would not train it,
        and for a table with too few rows.
    """
    if isinstance(source, keras.layers.Layer):
        if source.built:
            _check_rows(table_of(source, keras).shape[0], num_classes)
        elif isinstance(source, keras.layers.Embedding):
            _check_rows(source.input_dim, num_classes)
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


def _check_rows(rows: Any, num_classes: int) -> None:
    if rows < num_classes:
        errors.fail("kernel", f"a table of at least num_classes = {num_classes} rows", rows)


def build(source: Any, dim: int, keras: Any, num_classes: int) -> None:
    """Makes the weights of a layer that was not called before the head that shares them.

    Then it checks their shape. In Keras 3 a head of a functional model is only built while the
    model is made, so that the first call would be in `fit`.

    Args:
      source: A layer or a variable. An `Embedding` knows its size, and another head has the same
        inputs. Other layers have to be called first.
      dim: The last dimension of the inputs of both heads.
      keras: The Keras of the head.
      num_classes: The number of rows that the head needs.
    """
    is_layer = isinstance(source, keras.layers.Layer)
    if is_layer and not source.built:
        is_head = hasattr(source, "kernel_source")
        if not (is_head or isinstance(source, keras.layers.Embedding)):
            return
        with tf.name_scope(source.name):  # The name that tf_keras would give it in a call.
            source.build((None, dim) if is_head else (None,))
    check_shape(table_of(source, keras), num_classes, dim)


def original_of(head: Any, inputs: Any) -> Any:
    """Returns the layer that a copy of a head stands for, or None if it was not called yet.

    Args:
      head: A head in the config of a layer that has the same inputs.
      inputs: The inputs.
    """
    for layer in private.layers_fed_by(inputs):
        if _is_copy(layer, head):
            return layer
    return None


def twin_of(head: Any, inputs: Any) -> Optional[Described]:
    """Returns the copy of a head that a layer with the same inputs has made, or None."""
    for layer in private.layers_fed_by(inputs):
        copy = layer.head if getattr(layer, "has_copied_head", False) else None
        if copy is not None and copy is not head and copy.built and _is_copy(copy, head):
            copy._twin = Described(head)
            return Described(copy)
    return None


def _is_copy(layer: Any, head: Any) -> bool:
    return type(layer) is type(head) and layer.name == head.name


def table_of(source: Any, keras: Any) -> Any:
    """Returns the `[rows, dim]` variable in a layer (or a variable itself).

    Raises:
      ArgumentError: If the layer has no such variable, or has not been built, like a copy of the
        layer that the head should share with.
    """
    if not isinstance(source, keras.layers.Layer):
        return source
    if not source.built:
        errors.fail(
            "kernel",
            "a layer that has been called (or built) before the head that shares its weights. (If "
            "the head was made from a config, none of the layers that its inputs come from is the "
            "layer to share: build the model with the code that built the original)",
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
    """Checks that a shared table has a row of length `dim` for each class."""
    rows, width = table.shape
    if width != dim or rows < num_classes:
        errors.fail(
            "kernel",
            f"a table of at least num_classes = {num_classes} rows of {dim} numbers, the last "
            "dimension of the head's inputs",
            f"shape {tuple(table.shape)}",
        )


def serialize(source: Any, keras: Any) -> Any:
    """Describes a shared kernel in a config.

    In a model's file, Keras 3 describes a layer that occurs twice as one layer. Elsewhere the
    description makes another layer. The description omits how to build it. So a head that does not
    find the original (see `Described`) fails, and does not train a kernel that is no longer shared.
    """
    if source is None:
        return None
    if not isinstance(source, keras.layers.Layer):
        raise ValueError(
            "kernel: expected a layer, to describe the SampledDense layer in a config, got a "
            "variable, which a config cannot describe. Pass the layer that owns the variable, or "
            "override get_config and from_config of the model"
        )
    config = keras.utils.serialize_keras_object(source)
    config.pop("build_config", None)  # In place, because Keras later marks this object as shared.
    return config
