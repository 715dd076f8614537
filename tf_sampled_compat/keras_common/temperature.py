"""A number that a compiled step reads each time it runs: a callback or a schedule changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.keras_common.schedule_steps import ScheduleSteps

# Saved models contain this name. Never change it.
_STEP = "step"


class Temperature:
    """A scalar: the caller's variable, a new one with the caller's number, or a schedule's value.

    Args:
      value: A number, a variable of TensorFlow or Keras, a Keras `LearningRateSchedule`, or the
        description of one in a config.
      keras: The Keras of the schedule.
    """

    def __init__(self, value: Any, keras: Any):
        schedules = keras.optimizers.schedules
        # The step of a schedule that was saved, until the loss meets its head, which knows it.
        self._saved_step = 0
        if isinstance(value, Mapping):
            self._saved_step = int(value.get(_STEP, 0))
            value = schedules.deserialize({k: v for k, v in value.items() if k != _STEP})
        self._schedules = schedules
        self.schedule = value if isinstance(value, schedules.LearningRateSchedule) else None
        self._steps = None
        self.variable = None
        if self.schedule is not None:
            return
        if hasattr(value, "assign"):
            self.variable = value
            return
        checks.temperature(value)
        with tf.init_scope():
            self.variable = tf.Variable(
                value, trainable=False, dtype=tf.float32, name="resampling_temperature"
            )

    def assign(self, value: Any) -> None:
        """Sets the temperature, for compiled steps too.

        Raises:
          ArgumentError: If the value is not a positive number, or a schedule sets the temperature.
        """
        if self.variable is None or isinstance(value, self._schedules.LearningRateSchedule):
            errors.fail(
                "resampling_temperature",
                "a number, assigned to a loss that was made with a number or a variable (the "
                "schedule of a loss is given when the loss is made)",
                repr(value if self.variable is not None else self.schedule),
            )
        self.variable.assign(errors.after(checks.temperature(value), value))

    def of_next_step(self, steps: ScheduleSteps) -> tf.Tensor:
        """Returns the temperature of a training step.

        Args:
          steps: Counts the training steps of the head, if there is a schedule.
        """
        if self.schedule is None:
            return tf.convert_to_tensor(self.variable)
        self.follow(steps)
        return tf.cast(self.schedule(steps.next()), tf.float32)

    def follow(self, steps: ScheduleSteps) -> None:
        """Takes the next step of a schedule from those of a head."""
        self._steps = steps

    def current(self) -> Any:
        """Returns the variable, or the schedule's value for the next step."""
        if self.schedule is None:
            return self.variable
        return tf.cast(self.schedule(self._next_step()), tf.float32)

    def _next_step(self) -> int:
        return self._saved_step if self._steps is None else self._steps.count()

    def config(self) -> Any:
        """Describes the temperature: a Python number, or a schedule."""
        if self.schedule is None:
            return float(np.asarray(tf.convert_to_tensor(self.variable)))
        step = self._next_step()
        return {**self._schedules.serialize(self.schedule), **({_STEP: step} if step else {})}
