"""Class frequencies estimated from the intervals between occurrences, in steps."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.samplers.sum_tree import SumTree, scatter_add
from tf_sampled_compat.core.tf import private

# The integer weight of a class that occurs once per step. It is large enough for the rarest of
# 10**9 classes, and leaves room for a class that is every label of a batch.
_UNIT = 2**40


class Intervals(tf.Module):
    """The mean interval between the occurrences of each class. The weight is its reciprocal.

    If a class occurs n times in a step, g steps after it last occurred, this counts as n
    occurrences g / n steps apart: interval ← decay**n · interval + (1 - decay**n) · g / n.

    Source: Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations" (2019), algorithm 2, which has n = 1.
    """

    def __init__(self, num_classes: int, decay: float):
        """Starts as if one class had occurred per step, all equally often."""
        super().__init__(name="intervals")
        self._decay = decay
        self.initial_weight = max(1, _UNIT // num_classes)
        self._now = tf.Variable(0, trainable=False, dtype=tf.int64, name="now")
        self._latest = tf.Variable(
            lambda: tf.zeros([num_classes], tf.int64), trainable=False, name="latest"
        )

    def weights(self, counts: np.ndarray) -> np.ndarray:
        """Returns the int64 weights of `[C]` counts, as if one class had occurred per step."""
        share = counts.astype(np.float64) / counts.sum(dtype=np.float64)
        return np.maximum(np.floor(share * _UNIT), 1).astype(np.int64)

    def state(self) -> dict[str, tf.Variable]:
        """Returns the variables by name."""
        return {"now": self._now, "latest": self._latest}

    def update(self, tree: SumTree, classes: tf.Tensor, occurred: tf.Tensor) -> list[tf.Operation]:
        """Advances by one step, and updates the weights of the classes that occurred.

        Args:
          tree: The weights to change.
          classes: `[N]` classes, which may repeat.
          occurred: `[N]` booleans: which of them occurred.

        Returns:
          The operations that do it; empty in eager mode.
        """
        now_variable = private.unwrap_variable(self._now)
        latest_variable = private.unwrap_variable(self._latest)
        now = tf.identity(now_variable) + 1
        # Each class once, in static shapes. Of the N places those left over have 0 occurrences.
        ordered = tf.sort(tf.where(occurred, classes, tree.size))
        new = tf.cast(tf.not_equal(ordered[1:], ordered[:-1]), tf.int32)
        place = tf.concat([tf.zeros_like(ordered[:1], tf.int32), tf.cumsum(new)], axis=0)
        size = tf.size(classes)
        real = tf.cast(ordered < tree.size, tf.float64)
        times = tf.math.unsorted_segment_sum(real, place, size)
        ids = tf.where(times > 0, tf.math.unsorted_segment_max(ordered, place, size), 0)
        latest = tf.gather(latest_variable, ids)
        weight = tree.weights(ids)

        kept = tf.pow(tf.constant(self._decay, tf.float64), times)
        gap = tf.cast(now - latest, tf.float64) / tf.maximum(times, 1.0)
        interval = kept * _UNIT / tf.cast(weight, tf.float64) + (1 - kept) * gap
        renewed = tf.maximum(tf.cast(tf.round(_UNIT / interval), tf.int64), 1)
        change = tf.where(times > 0, renewed - weight, 0)
        passed = tf.where(times > 0, now - latest, 0)
        with tf.control_dependencies([change, passed]):
            step = tf.raw_ops.AssignAddVariableOp(
                resource=now_variable.handle, value=tf.constant(1, tf.int64)
            )
            return [
                *([] if step is None else [step]),
                *tree.add(ids, change),
                *scatter_add(latest_variable, ids[:, tf.newaxis], passed),
            ]
