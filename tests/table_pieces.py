"""Cuts tables into pieces, by "div" or "mod", and joins them again."""

import numpy as np
import tensorflow as tf


def pieces(array, count, strategy):
    """Cuts an array as TensorFlow's lookup expects: 10 rows in 3 pieces are 4, 3, 3."""
    if strategy == "mod":
        return [array[i::count] for i in range(count)]
    return np.array_split(array, count)


def whole(arrays, strategy):
    """Joins pieces again."""
    if strategy == "div":
        return np.concatenate(arrays)
    result = np.zeros((sum(map(len, arrays)), *arrays[0].shape[1:]))
    for i, array in enumerate(arrays):
        result[i :: len(arrays)] = array
    return result


def sharded(array, count):
    """Returns TensorFlow's own sharded variable, as parameter servers hold it."""
    from tensorflow.python.distribute.sharded_variable import ShardedVariable

    return ShardedVariable([tf.Variable(p) for p in pieces(array, count, "div")])
