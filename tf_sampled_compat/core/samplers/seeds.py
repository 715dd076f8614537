"""Seeds of stateless draws: one for each step, one for each replica."""

from __future__ import annotations

import hashlib
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.samplers import philox
from tf_sampled_compat.core.tf import private

# Odd, so that no two replicas' seeds are equal modulo 2**64.
_REPLICA_STRIDE = 0x9E3779B97F4A7C15 - 2**64


def of_next_step(seed: Optional[int]) -> tf.Tensor:
    """Returns a `[2]` int64 seed that is another one each time the graph runs.

    Where TensorFlow's stateful ops would be reproducible, that is with an operation seed or a
    global one, it is [global seed * 2**32 + operation seed, n], n counting the runs of this place
    in the graph from 0 on. A function that is traced anew counts anew, as a kernel that is made
    anew draws anew. Without any seed it is random.

    Args:
      seed: An operation seed, or None.
    """
    global_seed, op_seed = tf.compat.v1.get_seed(seed)
    if global_seed is None and op_seed is None:
        return _random_seed()
    counter = _counter()
    if counter is None:
        return _random_seed()
    step = tf.raw_ops.ReadVariableOp(resource=counter, dtype=tf.int64)
    step = tf.ensure_shape(step, [])
    with tf.control_dependencies([step]):
        one = tf.constant(1, tf.int64)
        tf.raw_ops.AssignAddVariableOp(resource=counter, value=one)
    return tf.stack([tf.constant(global_seed * 2**32 + op_seed, tf.int64), step])


def _random_seed() -> tf.Tensor:
    # XLA keeps a state for it, which no seed reaches.
    return tf.random.uniform([2], tf.int64.min, tf.int64.max, tf.int64)


def _counter() -> Optional[tf.Tensor]:
    """Returns the handle of a new variable that starts at 0, or None where nothing initializes it.

    A tf.Variable could be made at a function's first trace only, and would have to be kept alive;
    the graph that captures a handle keeps it.
    """
    with tf.init_scope():
        if not tf.executing_eagerly():
            return None
        handle = tf.raw_ops.VarHandleOp(
            dtype=tf.int64, shape=[], shared_name=private.anonymous_name()
        )
        zero = tf.constant(0, tf.int64)
        tf.raw_ops.AssignVariableOp(resource=handle, value=zero)
    return handle


def per_replica_seed(seed: Any) -> Any:
    """Returns a seed of this replica's own, so that replicas draw different classes.

    Under a `tf.distribute` strategy an explicit seed gives every replica the same ones, in
    TensorFlow as here. To be called in the replicas, where the seed is used. The first replica's is
    the seed itself, and so is what comes where there are no replicas.

    >>> strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    >>> @tf.function
    ... def draw():
    ...     seed = tsc.random.per_replica_seed([1, 2])
    ...     return tsc.random.stateless_uniform_candidate_sampler([[3]], 1, 5, True, 50, seed)
    >>> strategy.run(draw).sampled_candidates.shape
    TensorShape([5])

    Args:
      seed: `[2]` integers for a stateless sampler, or the operation seed of a loss or sampler: an
        integer, or None, which stays None.

    Returns:
      Of `[2]` integers a `[2]` int64 tensor; of an integer an integer less than 2**31.

    Raises:
      ValueError: For an operation seed where the replica's number is not known while tracing (on a
        TPU), which `[2]` integers do not need.

    Source: https://www.tensorflow.org/api_docs/python/tf/distribute/ReplicaContext.
    """
    if seed is None:
        return None
    replica = _replica()
    scalar = isinstance(seed, int) or (not tf.is_tensor(seed) and not hasattr(seed, "__len__"))
    if not scalar:
        seed = philox.checked_seed(seed)
        step = tf.cast(replica, tf.int64) * tf.constant(_REPLICA_STRIDE, tf.int64)
        return seed + tf.stack([tf.zeros_like(step), step])
    number = tf.get_static_value(replica) if tf.is_tensor(replica) else replica
    if number is None:
        errors.fail(
            "seed",
            "two integers, of a stateless sampler, where only the running graph knows the replica",
            seed,
        )
    if number == 0:
        return seed
    digest = hashlib.blake2b(f"{seed} {int(number)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % 2**31


def _replica() -> TensorLike:
    """The number of the replica that is asking; 0 where there is none."""
    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group
