"""A variable of C integer weights in which finding and changing a weight takes O(log C).

It is a tree of fan-out 16. Each node holds the sum of the weights below it. The 16 children of a
node are one row of the variable, so that a step down the tree is one gather and one prefix sum. The
sums are integers, so they stay exact in any order of updates. Only rows are read, because reading a
whole variable after a sparse update copies it.
"""

from __future__ import annotations

from typing import Any, Union

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.tf import private

FAN_OUT = 16


class SumTree(tf.Module):
    """The weights of C classes and the sums of their subtrees."""

    def __init__(self, size: int, initial: Union[int, np.ndarray], name: str = "sum_tree"):
        """Creates the variable, of 8 · 16/15 bytes per class.

        Args:
          size: C.
          initial: The initial weight of all classes, or `[C]` int64 weights; positive.
          name: A name for the variable.
        """
        super().__init__(name=name)
        self.size = size
        spans = [1]
        while spans[-1] * FAN_OUT < size:
            spans.append(spans[-1] * FAN_OUT)
        # For each level, from the root: the number of classes below a node, and its first row.
        self._spans = spans[::-1]
        rows = [-(-size // (span * FAN_OUT)) for span in self._spans]
        self._offsets = [sum(rows[:level]) for level in range(len(rows))]

        def value() -> tf.Tensor:
            first = [tf.range(n * FAN_OUT, dtype=tf.int64) * s for n, s in zip(rows, self._spans)]
            below = [tf.clip_by_value(size - f, 0, s) for f, s in zip(first, self._spans)]
            return tf.reshape(tf.concat(below, axis=0) * initial, [-1, FAN_OUT])

        def sums() -> np.ndarray:
            levels, below = [], np.asarray(initial)
            for number in rows[::-1]:
                below = np.pad(below, [0, number * FAN_OUT - len(below)]).reshape([-1, FAN_OUT])
                levels.append(below)
                below = below.sum(axis=1)
            return np.concatenate(levels[::-1])

        self.nodes = tf.Variable(
            value if isinstance(initial, int) else sums,
            trainable=False,
            dtype=tf.int64,
            shape=[sum(rows), FAN_OUT],
            name="nodes",
        )

    def total(self) -> tf.Tensor:
        """Returns the sum of all weights, an int64 scalar."""
        return tf.reduce_sum(tf.gather(self._local(), [0]))

    def weights(self, classes: tf.Tensor) -> tf.Tensor:
        """Returns the int64 weights of int64 classes of any shape."""
        rows = tf.gather(self._local(), self._offsets[-1] + classes // FAN_OUT)
        return tf.gather(rows, classes % FAN_OUT, axis=-1, batch_dims=classes.shape.rank)

    def find(self, points: tf.Tensor) -> tf.Tensor:
        """Returns the class of each point on a line where the weights lie end to end.

        Args:
          points: `[N]` int64, each in [0, total).
        """
        node = tf.zeros_like(points)
        for offset in self._offsets:
            children = tf.gather(self._local(), offset + node)
            before = tf.cumsum(children, axis=1) <= points[:, tf.newaxis]
            points -= tf.reduce_sum(tf.where(before, children, tf.zeros_like(children)), axis=1)
            step = tf.reduce_sum(tf.cast(before, tf.int64), axis=1)
            # `step` is too large only if another process changed a row in the meantime.
            node = node * FAN_OUT + tf.minimum(step, FAN_OUT - 1)
        return tf.minimum(node, self.size - 1)

    def add(self, classes: tf.Tensor, amounts: tf.Tensor) -> list[tf.Operation]:
        """Adds int64 amounts to the weights of `[N]` int64 classes, which may repeat.

        Returns:
          In a graph, a list of the operation; in eager mode, an empty list.
        """
        indices = []
        for offset, span in zip(self._offsets, self._spans):
            node = classes // span
            indices.append(tf.stack([offset + node // FAN_OUT, node % FAN_OUT], axis=1))
        return scatter_add(
            self._local(), tf.concat(indices, axis=0), tf.tile(amounts, [len(indices)])
        )

    def all_weights(self) -> tf.Tensor:
        """Returns a copy of the `[C]` weights of all classes."""
        leaves = tf.reshape(self._local()[self._offsets[-1] :], [-1])
        return leaves[: self.size]

    def _local(self) -> Any:
        """Returns the variable, or this replica's copy of it under a distribution strategy."""
        return private.unwrap_variable(self.nodes)


def scatter_add(variable: Any, indices: tf.Tensor, amounts: tf.Tensor) -> list[tf.Operation]:
    """Adds like `variable.scatter_nd_add`, which would also read the whole variable."""
    done = tf.raw_ops.ResourceScatterNdAdd(ref=variable.handle, indices=indices, updates=amounts)
    return [] if done is None else [done]
