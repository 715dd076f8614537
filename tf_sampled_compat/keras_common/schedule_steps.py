"""The training steps of a head, which a schedule of its loss follows; saved with the head."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.tf import private
from tf_sampled_compat.keras_common.named_variables import NamedVariables

_NAME = "schedule_step"


class ScheduleSteps(tf.__internal__.tracking.AutoTrackable):
    """Counts the training steps of a head, inside of compiled steps.

    It counts only if a loss asks it. Then its variable is in weights files and checkpoints. It is
    no weight of the layer, so `get_weights` and older files have the same weights with and
    without it. A count that is loaded before waits, and is saved again.
    """

    def __init__(self) -> None:
        self.step: Optional[tf.Variable] = None
        self.loaded = NamedVariables()

    def next(self) -> tf.Tensor:
        """Returns the number of steps before this one, and counts this one."""
        variable = private.unwrap_variable(self._variable())
        step = tf.identity(variable)
        with tf.control_dependencies([step]):
            tf.raw_ops.AssignAddVariableOp(resource=variable.handle, value=tf.constant(1, tf.int64))
        return step

    def now(self) -> tf.Tensor:
        """Returns the number of steps so far, without counting; a graph reads it when it runs."""
        return tf.identity(private.unwrap_variable(self._variable()))

    def count(self) -> int:
        """Returns the number of steps so far."""
        return int(np.asarray(self._known()))

    def _known(self) -> Any:
        """Returns the count: the variable, or what a checkpoint or a file holds."""
        if self.step is not None:
            return self.step
        restored = private.deferred_values(self).get("step")  # As older checkpoints have it.
        return self.loaded.all().get(_NAME, 0) if restored is None else restored

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
            count = self.count()
            self.loaded.clear()
            self.step = tf.Variable(
                count,
                trainable=False,
                dtype=tf.int64,
                name=_NAME,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            self.loaded.hold(_NAME, self.step)

    def save(self, store: Any) -> None:
        """Puts the count into a layer's store, if a loss uses it."""
        if self.count():
            store[_NAME] = np.asarray(self.count(), np.int64)

    def load(self, store: dict[str, Any]) -> dict[str, Any]:
        """Takes the count from the variables in a layer's store, and returns the others."""
        count = np.asarray(store.get(_NAME, 0), np.int64)
        private.forget_deferred(self, ["step"])
        if self.step is not None:
            self.step.assign(count)
        else:
            self.loaded.clear()
            if count:
                self.loaded.put(_NAME, count)
        return {name: value for name, value in store.items() if name != _NAME}
