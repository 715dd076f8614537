"""Registers the classes of this package with a Keras, under the names that saved models hold."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

# Saved models contain this name. Never change it.
PACKAGE = "tf_sampled_compat"

_Class = TypeVar("_Class", bound=type)
_registered: dict[tuple[type, str], Any] = {}


def registrar(keras: Any) -> Callable[[_Class], _Class]:
    """Returns a class decorator that lets a Keras load the class from a file.

    If `tf.keras` is the tf_keras package, our `keras` and `tf_keras` serve the same Keras. Keras
    registers a name only once. So the decorator returns the class that was registered first, and
    both namespaces hold the same class.

    Args:
      keras: The Keras that the class belongs to.
    """
    add = keras.utils.register_keras_serializable(package=PACKAGE)

    def register(cls: _Class) -> _Class:
        key = (keras.layers.Layer, cls.__name__)
        if key not in _registered:
            # A stand-in may have the name, and Keras 2 refuses a second class.
            keras.utils.get_custom_objects().pop(f"{PACKAGE}>{cls.__name__}", None)
            _registered[key] = add(cls)
        return _registered[key]

    return register
