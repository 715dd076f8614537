"""The few private names of Keras that this package needs.

If a Keras release lacks one, the functions here return False or nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import tensorflow as tf


def in_symbolic_scope() -> bool:
    """Whether Keras 3 runs the current code only to infer shapes, on symbolic tensors."""
    # Importing the module would import Keras. If nobody has, there is no such scope.
    module = sys.modules.get("keras.src.backend.common.symbolic_scope")
    return bool(module and module.in_symbolic_scope())


def layers_behind(tensors: Any) -> Iterator[Any]:
    """Yields the layers that computed Keras's symbolic tensors, the nearest first."""
    waiting, seen = list(tf.nest.flatten(tensors)), set()
    while waiting:
        layer, node_index, _ = getattr(waiting.pop(0), "_keras_history", (None, None, None))
        if layer is None or (id(layer), node_index) in seen:
            continue
        seen.add((id(layer), node_index))
        yield layer
        node = layer._inbound_nodes[node_index]
        # Keras 2 has `keras_inputs`, Keras 3 `input_tensors`.
        waiting += node.keras_inputs if hasattr(node, "keras_inputs") else node.input_tensors


def layers_fed_by(tensors: Any) -> Iterator[Any]:
    """Yields the layers that were called on Keras's symbolic tensors."""
    for tensor in tf.nest.flatten(tensors):
        layer = getattr(tensor, "_keras_history", (None,))[0]
        for node in getattr(layer, "_outbound_nodes", ()):
            # Keras 3 has `operation`, Keras 2 `layer`.
            yield node.operation if hasattr(node, "operation") else node.layer


def in_keras_step() -> bool:
    """Whether the code is traced for a step of Keras's `fit`, `evaluate` or `predict`.

    Such a graph is never exported: it takes its batch from an iterator, or is one of the functions
    that Keras 3 makes for `predict`.
    """
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    while graph is not None:
        if getattr(graph, "name", None) in _STEPS:
            return True
        if any(op.type == "IteratorGetNext" for op in graph.get_operations()):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


_STEPS = ("one_step_on_data_distributed", "multi_step_on_data")


def compiled_metrics(model: Any) -> list[Any]:
    """Returns the `metrics` and `weighted_metrics` that `compile` was given."""
    # Keras 3 has `_compile_metrics`, Keras 2 `compiled_metrics`; Keras 3's name for the latter
    # is a deprecated method, so the order matters.
    container = getattr(model, "_compile_metrics", None)
    if container is None and not hasattr(model, "_compile_metrics"):
        container = getattr(model, "compiled_metrics", None)
    names = "_user_metrics", "_user_weighted_metrics"
    return [given for name in names if (given := getattr(container, name, None))]


def all_layers(model: Any, itself: bool = True) -> list[Any]:
    """Returns the layers of a model and the layers inside of them, and the model itself."""
    if hasattr(model, "_flatten_layers"):
        return list(model._flatten_layers(include_self=itself))
    return [*([model] if itself else []), *model.layers]
