"""Sampled losses through `model.compile`, for the tf_keras package.

Keras finds the classes in a saved model once this package has been imported.
"""

from tf_sampled_compat.tf_keras import callbacks, layers, losses, metrics, optimizers
from tf_sampled_compat.tf_keras.diagnosis import diagnose

__all__ = ["callbacks", "diagnose", "layers", "losses", "metrics", "optimizers"]
