"""A number that a compiled step reads each time it runs, so that callbacks can change it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


class Temperature:
    """A scalar variable: the caller's own, or a new one that holds the caller's number.

    Args:
      value: A number, or a variable of TensorFlow or Keras.
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
        """Sets the temperature, for compiled steps too."""
        self.variable.assign(value)

    def read(self) -> tf.Tensor:
        """Returns the temperature as a tensor of the current step."""
        return tf.convert_to_tensor(self.variable)

    def number(self) -> float:
        """Returns the temperature as a Python number, for a config."""
        return float(np.asarray(self.read()))
