"""A number that compiled steps read at each step, so that callbacks can change it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


class Temperature:
    """A scalar variable: the caller's, or one of its own around the caller's number.

    Args:
      value: A number, or a variable of TensorFlow's or Keras's.
    """

    def __init__(self, value: Any):
        if hasattr(value, "assign"):
            self.variable = value
        else:
            with tf.init_scope():
                self.variable = tf.Variable(
                    value, trainable=False, dtype=tf.float32, name="resampling_temperature"
                )

    def assign(self, value: Any) -> None:
        """Sets the temperature from now on, compiled steps included."""
        self.variable.assign(value)

    def read(self) -> tf.Tensor:
        """Returns the temperature, as a tensor of the step at hand."""
        return tf.convert_to_tensor(self.variable)

    def number(self) -> float:
        """Returns the temperature, for a config."""
        return float(np.asarray(self.read()))
