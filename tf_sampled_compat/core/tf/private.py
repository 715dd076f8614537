"""The few private names of TensorFlow that we need.

Each is looked up once. If a release lacks one, the functions here answer as if nothing were of that
kind. No other module may use names below `tf.`'s public ones; a test enforces it.
"""

from __future__ import annotations

import importlib
import re
import sys
import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np
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
_context = _private("tensorflow.python.eager.context", "context_safe")
_in_save_context = _private("tensorflow.python.saved_model.save_context", "in_save_context")
_anonymous_name = _private("tensorflow.python.eager.context", "anonymous_name")
_KERASES = ("keras", "tf_keras")
_LOOP_BODY = re.compile(r"(^|/)loop_body(_\d+)?(/|$)")


def in_xla_context() -> bool:
    """Returns whether XLA will compile the code being traced (`jit_compile=True`)."""
    if tf.executing_eagerly() or _graph_or_parents_in_xla_context is None:
        return False
    return _graph_or_parents_in_xla_context(tf.compat.v1.get_default_graph())


def in_vectorized_map() -> bool:
    """Returns whether the code being traced is the body of a `tf.vectorized_map`.

    TensorFlow traces the body into the current graph, in a name scope `loop_body`, and then
    vectorizes it.
    """
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    while graph is not None:
        if _LOOP_BODY.search(graph.get_name_scope()):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def is_exported() -> bool:
    """Returns whether the code is traced for an export.

    `tf.saved_model.save` traces the functions of an object anew, those too that have been called.
    Keras's `ExportArchive` traces its endpoints before that.
    """
    if tf.executing_eagerly():
        return False
    if _in_save_context is not None and _in_save_context():
        return True
    frame = sys._getframe(1)
    while frame is not None:
        if "export" in frame.f_code.co_filename:
            owner = type(frame.f_locals.get("self"))
            if owner.__name__.endswith("ExportArchive") and _package_of(owner) in _KERASES:
                return True
        frame = frame.f_back
    return False


def is_recorded() -> bool:
    """Returns whether a gradient tape is recording."""
    return bool(_could_possibly_record and _could_possibly_record())


def has_remote_devices() -> bool:
    """Returns whether other processes compute for this one, as with parameter servers."""
    return _has_set_up_devices() and any(
        tf.DeviceSpec.from_string(device.name).job not in (None, "localhost")
        for device in tf.config.list_logical_devices()
    )


def _has_set_up_devices() -> bool:
    """Whether TensorFlow has set up its devices: threads, memory of GPUs, other processes.

    To list the logical devices sets them up, and then no program can configure them any more.
    """
    context = _context() if _context is not None else None
    return bool(getattr(context, "_context_handle", None))


def anonymous_name() -> str:
    """Returns a name for a resource that is freed together with its last handle."""
    if _anonymous_name is None:
        return f"tf_sampled_compat_{uuid.uuid4()}"  # It lives until the process ends.
    return _anonymous_name()


def is_partitioned_variable(value: Any) -> bool:
    """Returns whether `value` came from `tf.compat.v1.get_variable(partitioner=...)`."""
    return isinstance(value, _PartitionedVariable)


def is_sharded_variable(value: Any) -> bool:
    """Returns whether `value` is a variable that a parameter-server strategy has sharded."""
    return isinstance(value, _ShardedVariable)


def is_shard(value: Any) -> bool:
    """Returns whether `value` is one of the variables of a sharded variable."""
    return hasattr(value, "_sharded_container")


def unwrap_variable(value: Any) -> Any:
    """Returns the variable, or the shards, inside a Keras or replicated variable, or `value`.

    Gathering from the wrapper would first read or cast the whole table. The variable inside can be
    gathered from directly.
    """
    # keras.Variable; tf_keras' AutoCastVariable. Keras 3 has a public `.value` too, which in an
    # autocast scope is a cast copy of the table.
    for attribute in ("_value", "_variable"):
        inner = getattr(value, attribute, None)
        is_variable = isinstance(inner, tf.Variable) or is_sharded_variable(inner)
        if is_variable and _package_of(type(value)) in _KERASES:
            return unwrap_variable(inner)
    if isinstance(value, _DistributedVariable):
        return value._get()  # The copy of the current replica.
    return value


def _package_of(cls: type) -> str:
    return cls.__module__.split(".")[0]


def track(owner: Any, name: str, value: Any) -> None:
    """Makes checkpoints of `owner` hold the variables of `value`, without an attribute.

    Keras would count the variables of an attribute among a layer's weights. If a checkpoint was
    restored before, `value` gets its variables now.
    """
    track_trackable = getattr(owner, "_track_trackable", None)
    if track_trackable is not None:
        track_trackable(value, name, overwrite=True)


def deferred_names(owner: Any) -> set[str]:
    """Returns the names of the parts that checkpoints hold and `owner` does not have yet."""
    return set(getattr(owner, "_deferred_dependencies", ()))


def deferred_values(owner: Any) -> dict[str, np.ndarray]:
    """Returns the values of those variables that checkpoints hold and `owner` does not have yet."""
    found: dict[str, np.ndarray] = {}
    for name, positions in dict(getattr(owner, "_deferred_dependencies", {})).items():
        last = max(positions, key=lambda position: position.restore_uid)
        keys = [each.checkpoint_key for each in last.object_proto.attributes]
        path = getattr(last.checkpoint, "save_path_string", None)
        if len(keys) == 1 and path is not None:
            found[name] = tf.train.load_checkpoint(path).get_tensor(keys[0])
    return found


def forget_deferred(owner: Any, names: Iterable[str]) -> None:
    """Lets `owner` not take these parts from checkpoints that were restored before."""
    for name in names:
        getattr(owner, "_deferred_dependencies", {}).pop(name, None)


def colocated_with(piece: Any) -> Any:
    """Returns a scope that places ops on the device of `piece`."""
    if tf.executing_eagerly():
        return tf.device(piece.device)
    graph = tf.compat.v1.get_default_graph()
    tensor = getattr(piece, "handle", piece)
    if hasattr(graph, "capture"):
        # Colocating with the variable itself would record its device in the function, which breaks
        # serving.
        tensor = graph.capture(tensor)
    return graph.colocate_with(tensor.op)


def device_type(piece: Any) -> str:
    """Returns the type of the device that holds `piece`: "CPU", "GPU" or "TPU".

    A piece without a device is placed by TensorFlow, on a GPU if there is one.
    """
    name = _device(piece).device_type
    if name:
        return name
    if _has_set_up_devices():
        found = tf.config.list_logical_devices("GPU")
    else:
        found = tf.config.get_visible_devices("GPU")
    return "GPU" if found else "CPU"


def is_on_parameter_server(piece: Any) -> bool:
    """Returns whether `piece` is on a parameter server."""
    return _device(piece).job == "ps"


def _device(piece: Any) -> tf.DeviceSpec:
    return tf.DeviceSpec.from_string(getattr(piece, "device", None) or "")
