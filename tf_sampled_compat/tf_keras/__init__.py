"""Sampled losses through `model.compile`, for the tf_keras package.

Keras finds the classes in a saved model once this package has been imported.
"""

from tf_sampled_compat.tf_keras import layers, losses, metrics, optimizers

__all__ = ["layers", "losses", "metrics", "optimizers"]
