"""For the package tf_keras, which is Keras 2 on any TensorFlow."""

from tf_sampled_compat.tf_keras import optimizers

__all__ = ["optimizers"]
