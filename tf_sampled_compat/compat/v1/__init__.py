"""TensorFlow 1.x, as far as this package mirrors it."""

from tf_sampled_compat.compat.v1 import nn, train

__all__ = ["nn", "train"]
