"""A number that a compiled step reads each time it runs: a callback or a schedule changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.keras_common.schedule_steps import ScheduleSteps


class Temperature:
    """A scalar: the caller's variable, a new one with the caller's number, or a schedule's value.

    Args:
      value: A number, a variable of TensorFlow or Keras, a Keras `LearningRateSchedule`, or the
        description of one in a config.
      keras: The Keras of the schedule.
    """

    def __init__(self, value: Any, keras: Any):
        schedules = keras.optimizers.schedules
        if isinstance(value, Mapping):
            value = schedules.deserialize(value)
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
        self._steps = steps
        return tf.cast(self.schedule(steps.next()), tf.float32)

    def current(self) -> Any:
        """Returns the variable, or the schedule's value for the next step."""
        if self.schedule is None:
            return self.variable
        step = 0 if self._steps is None else self._steps.count()
        return tf.cast(self.schedule(step), tf.float32)

    def config(self) -> Any:
        """Describes the temperature: a Python number, or a schedule."""
        if self.schedule is None:
            return float(np.asarray(tf.convert_to_tensor(self.variable)))
        return self._schedules.serialize(self.schedule)
