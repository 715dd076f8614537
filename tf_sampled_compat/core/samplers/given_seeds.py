"""The seeds that a caller gives to a sampler with a state."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import as_tensor


def initial(seed: Any) -> Any:
    """Returns the initial value of the seed variable."""
    if seed is None:
        limits = tf.int64.min, tf.int64.max
        return lambda: tf.random.uniform([2], *limits, dtype=tf.int64)
    expected = "an integer, or two integers, of at most 64 bits"
    given = as_tensor("seed", np.asarray(seed) if isinstance(seed, np.generic) else seed, expected)
    pair = tf.get_static_value(given)
    if pair is None or not given.dtype.is_integer or pair.shape not in ((), (2,)):
        errors.fail("seed", expected, checks.described(seed), errors.ArgumentTypeError)
    whole = [checks.known_integer("seed", number) for number in np.ravel(pair)]
    return [0, *whole] if pair.ndim == 0 else whole


def of_operation(seed: Any) -> tf.Tensor:
    """Converts an operation's seed: an integer, or a tensor of integers."""
    if isinstance(seed, (tf.Tensor, list, tuple)) or hasattr(seed, "shape"):
        given = as_tensor("seed", seed, "an integer or None")
        if not given.dtype.is_integer:
            got = checks.kind(given)
            errors.fail("seed", "an integer or None", got, errors.ArgumentTypeError)
        return tf.cast(given, tf.int64)
    # A vector, as TensorFlow keeps a tensor for each Python number that it ever converted.
    return tf.constant([checks.op_seed(seed)], tf.int64)
