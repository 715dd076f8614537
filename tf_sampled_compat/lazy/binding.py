"""Which of the two kinds of Keras a Keras is."""

from __future__ import annotations

from typing import Any

from tf_sampled_compat.lazy.keras2 import LazyKeras2
from tf_sampled_compat.lazy.keras3 import LazyKeras3
from tf_sampled_compat.lazy.optimizer import Lazy


def lazy_base(keras: Any) -> type[Lazy]:
    """Returns the base of the lazy optimizers for a Keras module."""
    # `tf.keras` has no version everywhere.
    is_keras3 = hasattr(keras.optimizers.Optimizer, "stateless_apply")
    return LazyKeras3 if is_keras3 else LazyKeras2
