"""Runs a call eagerly, in a `tf.function` and in a v1 graph, with shapes known and unknown."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import tensorflow as tf

from tests.bad_input.case import Case, EqualsTensorFlow, Variable

v1 = tf.compat.v1

# "unknown": every dimension is None in a function, and the rank too in a graph.
# The longest modes come first, because they run in parallel.
MODES = ("function_unknown", "function", "graph_unknown", "graph", "eager")


def run(mode: str, case: Case, call: Callable[[dict[str, Any]], Any]) -> list[np.ndarray]:
    """Returns the outputs of a call, and on request the gradients by weights, biases and inputs."""
    differentiate = isinstance(case.expect, EqualsTensorFlow) and case.expect.gradients
    unknown = mode.endswith("_unknown")
    leaves, shapes = [], []
    for argument in sorted(case.tensors):  # the order of `tf.nest`
        table = argument in ("weights", "biases")
        for leaf in tf.nest.flatten(case.tensors[argument]):
            hidden = unknown and (case.unknown_tables or not table)
            leaves.append(leaf)
            shapes.append(None if hidden else np.shape(leaf))

    def step(*fed: Any) -> list[Any]:
        tensors = tf.nest.pack_sequence_as(case.tensors, fed)
        return _with_gradients(call, tensors) if differentiate else tf.nest.flatten(call(tensors))

    if mode == "eager":
        return [np.asarray(value) for value in step(*map(_eager, leaves))]
    if mode.startswith("function"):
        # AutoGraph wraps errors that occur in tracing; ours must keep their classes.
        return _in_function(step, leaves, shapes, autograph=not unknown)
    return _in_graph(step, leaves, shapes)


def _in_function(step, leaves, shapes, autograph):
    held = {i: _eager(leaf) for i, leaf in enumerate(leaves) if isinstance(leaf, Variable)}
    fed = [i for i in range(len(leaves)) if i not in held]
    specs = []
    for i in fed:
        shape = [None] * np.ndim(leaves[i]) if shapes[i] is None else shapes[i]
        specs.append(tf.TensorSpec(shape, _eager(leaves[i]).dtype))

    @tf.function(input_signature=specs, autograph=autograph)
    def traced(*tensors):
        by_position = {**held, **dict(zip(fed, tensors))}
        return step(*(by_position[i] for i in range(len(leaves))))

    return [value.numpy() for value in traced(*(_eager(leaves[i]) for i in fed))]


def _in_graph(step, leaves, shapes):
    dtypes = [None if isinstance(leaf, Variable) else _eager(leaf).dtype for leaf in leaves]
    with tf.Graph().as_default(), v1.Session() as session:
        feeds, tensors = {}, []
        for leaf, dtype, shape in zip(leaves, dtypes, shapes):
            if isinstance(leaf, Variable):
                tensors.append(v1.Variable(leaf.value, use_resource=True))
                continue
            tensors.append(v1.placeholder(dtype, shape))
            feeds[tensors[-1]] = leaf
        outputs = step(*tensors)
        session.run(v1.global_variables_initializer())
        return session.run(outputs, feeds)


def _with_gradients(call: Callable, tensors: dict[str, Any]) -> list[Any]:
    watched = [
        tensor
        for key in ("weights", "biases", "inputs")
        for tensor in tf.nest.flatten(tensors.get(key))
        if tf.is_tensor(tensor) and tensor.dtype.is_floating
    ]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = tf.nest.flatten(call(tensors))
        # Each row has a different weight, so that no row can replace another.
        flat = [tf.cast(tf.reshape(out, [-1]), tf.float32) for out in outputs[:1]]
        total = sum(tf.reduce_sum(t * (1.0 + tf.range(tf.cast(tf.size(t), t.dtype)))) for t in flat)
    gradients = tape.gradient(total, watched, unconnected_gradients="zero") if watched else []
    return outputs + [tf.convert_to_tensor(gradient) for gradient in gradients]


def _eager(leaf: Any) -> Any:
    return tf.Variable(leaf.value) if isinstance(leaf, Variable) else tf.constant(leaf)
