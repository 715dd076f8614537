"""The names that TensorFlow gives to the losses in a graph, for `get_tensor_by_name`.

TensorFlow's losses end in an operation that has no name of its own. Its name is the same whatever
the caller's `name` is, and stands outside the loss's name scope; TAPAS alone ends inside its scope.
"""

from __future__ import annotations

from typing import Literal, Optional

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import LossKind

Era = Literal["0.x", "1.x"]


def reserved(kind: LossKind, era: Era) -> Optional[str]:
    """Takes TensorFlow's name for a loss in the graph's current name scope.

    Args:
      kind: The loss of the logits.
      era: Whose name. TensorFlow 2 kept those of 1.x.

    Returns:
      The name, ending in "/": an operation that gets it has exactly this name. None in eager mode.
    """
    if tf.executing_eagerly():
        return None
    if kind == "sigmoid":
        return _unique("Reshape")
    if kind == "sparse_softmax":
        operation = "SparseSoftmaxCrossEntropyWithLogits"
        return _unique(operation) + operation + "/"
    if era == "0.x":  # The cross entropy had no scope, and reshaped logits, labels and losses.
        return [_unique("Reshape") for _ in range(3)][-1]
    return _unique("softmax_cross_entropy_with_logits") + "Reshape_2/"


def _unique(name: str) -> str:
    with tf.compat.v1.name_scope(name) as scope:
        return scope
