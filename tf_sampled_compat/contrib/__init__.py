"""The part of TensorFlow 1.15's `tf.contrib` that this package mirrors."""

from tf_sampled_compat.contrib import nn

__all__ = ["nn"]
