"""Chooses the base class of the lazy optimizers for Keras 2 or 3."""

from __future__ import annotations

from typing import Any

from tf_sampled_compat.lazy.keras2 import LazyKeras2
from tf_sampled_compat.lazy.keras3 import LazyKeras3
from tf_sampled_compat.lazy.optimizer import Lazy


def lazy_base(keras: Any) -> type[Lazy]:
    """Returns the base class of the lazy optimizers for a Keras module, 2 or 3."""
    # Not every release's `tf.keras` has a `__version__`.
    is_keras3 = hasattr(keras.optimizers.Optimizer, "stateless_apply")
    return LazyKeras3 if is_keras3 else LazyKeras2
