"""Shapes of which a part may be known only when the graph runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf


def with_shape(tensor: tf.Tensor, shape: Sequence[Optional[int]]) -> tf.Tensor:
    """`tf.ensure_shape`, which adds an op even where the shape is known to fit."""
    if tensor.shape.rank == len(shape):
        known = tensor.shape.as_list()
        if all(expected is None or size == expected for size, expected in zip(known, shape)):
            return tensor
    return tf.ensure_shape(tensor, shape)


def size_of(tensor: Any, axis: int) -> Optional[int]:
    """Returns the size of a dimension, if it is known.

    Not `tensor.shape[axis]`, which after `tf.compat.v1.disable_v2_behavior()` is a `Dimension`:
    never None, and nothing that a set or a comparison can take.
    """
    return None if tensor.shape.rank is None else tensor.shape.as_list()[axis]


def static_size_of(tensor: Any, axis: int) -> int:
    """Returns the size of a dimension that is always known where this is called."""
    size = size_of(tensor, axis)
    assert size is not None, f"dimension {axis} of {tensor} is not static"
    return size


def sizes(tensor: tf.Tensor) -> list[Any]:
    """The sizes of a tensor's dimensions: integers where they are known, else tensors."""
    if tensor.shape.is_fully_defined():
        return tensor.shape.as_list()
    rank = 1 if tensor.shape.rank is None else tensor.shape.rank
    known = [None] * rank if tensor.shape.rank is None else tensor.shape.as_list()
    dynamic = tf.shape(tensor)
    return [dynamic[i] if size is None else size for i, size in enumerate(known)]
