"""Seeds for stateless draws: a new one for each step, a different one for each replica."""

from __future__ import annotations

import hashlib
from typing import Any, Optional, Union

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.samplers import philox
from tf_sampled_compat.core.tf import parameter_servers, private

# Odd, so that no two replicas' seeds are equal modulo 2**64.
_REPLICA_STRIDE = 0x9E3779B97F4A7C15 - 2**64


def of_next_step(seed: Optional[int]) -> tf.Tensor:
    """Returns a `[2]` int64 seed that differs each time the graph runs.

    With an operation seed or a global seed it is reproducible, as TensorFlow's stateful ops are:
    [global seed * 2**32 + operation seed, n], where n counts the runs of this place in the graph
    from 0. A retraced function starts at 0 again, as a new stateful kernel does. Without any seed
    it is random.

    Args:
      seed: An operation seed, or None.
    """
    global_seed, op_seed = tf.compat.v1.get_seed(checks.op_seed(seed))
    if global_seed is None or op_seed is None:  # TensorFlow returns both or neither.
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
    # XLA keeps its own generator state, which no seed reaches.
    return tf.random.uniform([2], tf.int64.min, tf.int64.max, tf.int64)


def _counter() -> Optional[tf.Tensor]:
    """Returns the handle of a new variable of value 0, or None where nobody would initialize it.

    A tf.Variable could be created only in a function's first trace, and somebody would have to keep
    it alive. A handle is kept alive by the graph that captures it.
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
    """Returns a seed for the current replica, so that replicas draw different classes.

    Under a `tf.distribute` strategy an explicit seed makes all replicas draw the same classes, in
    TensorFlow as here. Call this inside the replica function, where the seed is used. The first
    replica gets `seed` itself, and so does a program without replicas.

    >>> strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    >>> @tf.function
    ... def draw():
    ...     seed = tsc.random.per_replica_seed([1, 2])
    ...     return tsc.random.stateless_uniform_candidate_sampler([[3]], 1, 5, True, 50, seed)
    >>> strategy.run(draw).sampled_candidates.shape
    TensorShape([5])

    Args:
      seed: `[2]` integers for a stateless sampler, or the operation seed of a loss or sampler: an
        integer or None.

    Returns:
      A `[2]` int64 tensor for `[2]` integers, an integer for an integer (less than 2**31 in all
      replicas but the first), and None for None.

    Raises:
      ValueError: For an operation seed if the replica's number is not known while tracing, as on a
        TPU. Use `[2]` integers there.

    Source: https://www.tensorflow.org/api_docs/python/tf/distribute/ReplicaContext.
    """
    if seed is None:
        return None
    if parameter_servers.is_current():
        errors.fail(
            "seed",
            "None under a ParameterServerStrategy, whose workers all run one graph as replica 0; "
            "or pass each step another seed without per_replica_seed, as an argument of `schedule`",
            seed,
        )
    replica = _replica()
    scalar = isinstance(seed, int) or (not tf.is_tensor(seed) and not hasattr(seed, "__len__"))
    if not scalar:
        seed = philox.checked_seed(seed)
        step = tf.cast(replica, tf.int64) * tf.constant(_REPLICA_STRIDE, tf.int64)
        return seed + tf.stack([tf.zeros_like(step), step])
    seed = checks.op_seed(seed)
    number = tf.get_static_value(replica) if tf.is_tensor(replica) else replica
    if number is None:
        errors.fail(
            "seed",
            "two integers (for a stateless sampler), as the replica's number is not known while "
            "the call is traced",
            seed,
        )
    if number == 0:
        return seed
    digest = hashlib.blake2b(f"{seed} {int(number)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % 2**31


def _replica() -> Union[int, tf.Tensor]:
    """Returns the number of the current replica; 0 if there is none."""
    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group
