"""The part of TensorFlow 0.12 that this package mirrors."""

from tf_sampled_compat.compat.v0 import nn

__all__ = ["nn"]
