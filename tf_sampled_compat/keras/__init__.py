"""Sampled losses through `model.compile`, for `tf.keras`: Keras 3, or on TensorFlow ≤ 2.15 Keras 2.

Keras finds the classes in a saved model once this package has been imported.
"""

from tf_sampled_compat.keras import callbacks, layers, losses, metrics, optimizers
from tf_sampled_compat.keras.diagnosis import diagnose

__all__ = ["callbacks", "diagnose", "layers", "losses", "metrics", "optimizers"]
