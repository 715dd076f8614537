"""The training steps of a head, which a schedule of its loss follows; saved with the head."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.tf import private

_NAME = "schedule_step"


class ScheduleSteps(tf.__internal__.tracking.AutoTrackable):
    """Counts the training steps of a head, inside of compiled steps.

    It counts only if a loss asks it. Then its variable is in weights files and checkpoints. It is
    no weight of the layer, so `get_weights` and older files have the same weights with and
    without it.
    """

    def __init__(self) -> None:
        self.step: Optional[tf.Variable] = None
        self._loaded = 0

    def next(self) -> tf.Tensor:
        """Returns the number of steps before this one, and counts this one."""
        variable = private.unwrap_variable(self._variable())
        step = tf.identity(variable)
        with tf.control_dependencies([step]):
            tf.raw_ops.AssignAddVariableOp(resource=variable.handle, value=tf.constant(1, tf.int64))
        return step

    def count(self) -> int:
        """Returns the number of steps so far."""
        if self.step is None:
            return self._loaded
        return int(np.asarray(self.step))

    def _variable(self) -> tf.Variable:
        if self.step is None:
            # Each replica counts in its own copy: a shared one would be counted by all of them.
            context = tf.distribute.get_replica_context()
            if context is not None and context.num_replicas_in_sync > 1:
                context.merge_call(lambda strategy: self._create())
            else:
                self._create()
        assert self.step is not None
        return self.step

    def _create(self) -> None:
        if self.step is not None:
            return
        with tf.init_scope():
            self.step = tf.Variable(
                self._loaded,
                trainable=False,
                dtype=tf.int64,
                name=_NAME,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )

    def save(self, store: Any) -> None:
        """Puts the count into a layer's store, if a loss uses it."""
        if self.count():
            store[_NAME] = np.asarray(self.count(), np.int64)

    def load(self, store: dict[str, Any]) -> dict[str, Any]:
        """Takes the count from the variables in a layer's store, and returns the others."""
        self._loaded = int(np.asarray(store.get(_NAME, 0)))
        if self.step is not None:
            self.step.assign(self._loaded)
        return {name: value for name, value in store.items() if name != _NAME}
