"""Finds the Keras behind `tf.keras` and checks that it can be used."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from tf_sampled_compat.keras_common.registration import registrar


def _checked(keras: Any) -> Any:
    set_to = os.environ.get("KERAS_BACKEND")
    try:
        backend = keras.backend.backend()
    except ImportError as error:
        raise ImportError(
            f"tf_sampled_compat.keras needs Keras, which could not be imported: {error}. "
            f"(The environment variable KERAS_BACKEND is {set_to!r}; it must be 'tensorflow' or "
            "unset.)"
        ) from error
    if backend != "tensorflow":
        raise ImportError(
            f"tf_sampled_compat.keras needs Keras's TensorFlow backend, but Keras runs on "
            f"{backend!r}: set the environment variable KERAS_BACKEND=tensorflow before Keras is "
            "imported"
        )
    return keras


KERAS = _checked(tf.keras)
register = registrar(KERAS)
