"""For `tf.keras`: Keras 3, or up to TensorFlow 2.15 Keras 2."""

from tf_sampled_compat.keras import optimizers

__all__ = ["optimizers"]
