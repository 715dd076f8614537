"""The tf_keras package."""

from __future__ import annotations

try:
    import tf_keras
except ImportError as error:
    raise ImportError(
        "tf_sampled_compat.tf_keras needs the tf_keras package: pip install tf_keras. For "
        "tf.keras, use tf_sampled_compat.keras"
    ) from error

from tf_sampled_compat.keras_common.registration import registrar

KERAS = tf_keras
register = registrar(KERAS)
