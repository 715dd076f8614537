"""The few names of TensorFlow that are not exported and that we cannot do without.

Each is looked up once, and where a release lacks it the answer degrades to "not one of those".
Nothing else in the package may reach below `tf.`; a test enforces it.
"""

from __future__ import annotations

import importlib
import re
import uuid
from typing import Any

import tensorflow as tf


def _private(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None


def _private_class(module: str, name: str) -> Any:
    # isinstance(x, ()) is False for every x.
    return _private(module, name) or ()


_PartitionedVariable = _private_class("tensorflow.python.ops.variables", "PartitionedVariable")
_ShardedVariable = _private_class(
    "tensorflow.python.distribute.sharded_variable", "ShardedVariable"
)
_DistributedVariable = _private_class("tensorflow.python.distribute.values", "DistributedVariable")
_graph_or_parents_in_xla_context = _private(
    "tensorflow.python.ops.control_flow_util", "GraphOrParentsInXlaContext"
)
_could_possibly_record = _private(
    "tensorflow.python.eager.record", "could_possibly_record"
) or _private("tensorflow.python.eager.tape", "could_possibly_record")  # TF 2.12
_anonymous_name = _private("tensorflow.python.eager.context", "anonymous_name")
_LOOP_BODY = re.compile(r"(^|/)loop_body(_\d+)?(/|$)")


def in_xla_context() -> bool:
    """Whether the code now being traced will be compiled by XLA (`jit_compile=True`)."""
    if tf.executing_eagerly() or _graph_or_parents_in_xla_context is None:
        return False
    return _graph_or_parents_in_xla_context(tf.compat.v1.get_default_graph())


def in_vectorized_map() -> bool:
    """Whether the code now being traced is the body of a `tf.vectorized_map`.

    TensorFlow traces it in a scope of that name, into the graph at hand, before it vectorizes it.
    """
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    while graph is not None:
        if _LOOP_BODY.search(graph.get_name_scope()):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def is_recorded() -> bool:
    """Whether a gradient tape is recording what is now computed."""
    return bool(_could_possibly_record and _could_possibly_record())


def has_remote_devices() -> bool:
    """Whether other processes compute for this one, as under a parameter-server strategy."""
    return any(
        tf.DeviceSpec.from_string(device.name).job not in (None, "localhost")
        for device in tf.config.list_logical_devices()
    )


def anonymous_name() -> str:
    """Returns the name of a resource that goes when the last handle to it does."""
    if _anonymous_name is None:
        return f"tf_sampled_compat_{uuid.uuid4()}"  # It stays until the process ends.
    return _anonymous_name()


def is_partitioned_variable(value: Any) -> bool:
    """Whether `value` is what `tf.compat.v1.get_variable(partitioner=...)` returns."""
    return isinstance(value, _PartitionedVariable)


def is_sharded_variable(value: Any) -> bool:
    """Whether `value` is what a parameter-server strategy makes of a `tf.Variable`."""
    return isinstance(value, _ShardedVariable)


def unwrap_variable(value: Any) -> Any:
    """Returns the variable inside a Keras or replicated variable, or `value` itself.

    Such a wrapper is read, or cast, whole before anything is gathered from it. What it wraps can be
    gathered from.
    """
    # keras.Variable; tf_keras' AutoCastVariable. Keras 3 has a public `.value` too, which in an
    # autocast scope is a cast copy of the table.
    for attribute in ("_value", "_variable"):
        inner = getattr(value, attribute, None)
        if isinstance(inner, tf.Variable) and _package(value) in ("keras", "tf_keras"):
            return unwrap_variable(inner)
    if isinstance(value, _DistributedVariable):
        return value._get()  # The copy of the replica that is asking.
    return value


def _package(value: Any) -> str:
    return type(value).__module__.split(".")[0]


def colocated_with(piece: Any) -> Any:
    """A scope that puts ops where `piece` of a table lives."""
    if tf.executing_eagerly():
        return tf.device(piece.device)
    graph = tf.compat.v1.get_default_graph()
    tensor = getattr(piece, "handle", piece)
    if hasattr(graph, "capture"):
        # Naming the variable itself would freeze its device into the function, and break serving.
        tensor = graph.capture(tensor)
    return graph.colocate_with(tensor.op)


def device_type(piece: Any) -> str:
    """Returns "CPU", "GPU" or "TPU": where `piece` of a table is, as far as is known.

    Where nothing is said TensorFlow will place it, on a GPU if there is one.
    """
    name = _device(piece).device_type
    if name:
        return name
    return "GPU" if tf.config.list_logical_devices("GPU") else "CPU"


def is_on_parameter_server(piece: Any) -> bool:
    """Whether `piece` of a table is in a process that does nothing but hold variables."""
    return _device(piece).job == "ps"


def _device(piece: Any) -> tf.DeviceSpec:
    return tf.DeviceSpec.from_string(getattr(piece, "device", None) or "")
