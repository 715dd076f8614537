"""How often classes occur, estimated from the intervals between their occurrences."""

from __future__ import annotations

import tensorflow as tf

from tf_sampled_compat.core.samplers.sum_tree import SumTree, scatter_add
from tf_sampled_compat.core.tf import private

# A weight is so many times an occurrence a step, as an integer: fine enough for the rarest of 10**9
# classes, and room for a class that is every label of a batch.
_UNIT = 2**40


class Intervals(tf.Module):
    """The mean interval between the occurrences of each class: its reciprocal is the weight.

    A class that occurs n times in a step has had n occurrences g / n steps apart, with g the steps
    since the one before: interval ← decay**n · interval + (1 - decay**n) · g / n.

    Source: Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations" (2019), algorithm 2, for which n is 1.
    """

    def __init__(self, num_classes: int, decay: float):
        """Begins with intervals as if one class a step had occurred, each as often."""
        super().__init__(name="intervals")
        self._decay = decay
        self.initial_weight = max(1, _UNIT // num_classes)
        self._now = tf.Variable(0, trainable=False, dtype=tf.int64, name="now")
        self._latest = tf.Variable(
            lambda: tf.zeros([num_classes], tf.int64), trainable=False, name="latest"
        )

    def state(self) -> dict[str, tf.Variable]:
        """The variables, by name."""
        return {"now": self._now, "latest": self._latest}

    def update(self, tree: SumTree, classes: tf.Tensor, there: tf.Tensor) -> list[tf.Operation]:
        """Takes one step.

        Args:
          tree: The weights, to be changed.
          classes: `[N]` classes, which may repeat.
          there: `[N]`: which of them occurred.
        """
        now_variable = private.unwrap_variable(self._now)
        latest_variable = private.unwrap_variable(self._latest)
        now = tf.identity(now_variable) + 1
        # Each class once, in static shapes: what is left of the N places occurred 0 times.
        ordered = tf.sort(tf.where(there, classes, tree.size))
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
