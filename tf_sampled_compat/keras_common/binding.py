"""Makes the classes of a Keras out of those written for all of them."""

from __future__ import annotations

import re
import types
from typing import Any, NamedTuple

# Registered names of classes that are saved in models' files: never to be changed.
PACKAGE = "tf_sampled_compat"

_bound: dict[tuple[type, type], type] = {}


class Family(NamedTuple):
    """A Keras and the package here that serves it.

    Attributes:
      keras: What users import as `keras` (or `tf_keras`, or `tf.keras`).
      package: "tf_sampled_compat.keras" or "tf_sampled_compat.tf_keras".
      name: What docstrings call it: "keras" or "tf_keras".
    """

    keras: Any
    package: str
    name: str


def bind(written: type, base: type, family: Family, namespace: str) -> type:
    """Returns the class written here as a subclass of a Keras's own.

    Where `tf.keras` is the tf_keras package, both namespaces hold the same class: a name can be
    registered once.

    Args:
      written: A class of this package.
      base: The Keras class it is to be one of.
      family: The Keras.
      namespace: "layers", "losses" or "metrics".
    """
    key = (written, base)
    if key not in _bound:
        body = {
            "__module__": f"{family.package}.{namespace}",
            "__doc__": _spoken(written.__doc__, family.name),
            "_keras": family.keras,
        }
        name = written.__name__
        made = types.new_class(name, (written, base), exec_body=lambda names: names.update(body))
        register = family.keras.utils.register_keras_serializable(package=PACKAGE)
        _bound[key] = register(made)
    return _bound[key]


def _spoken(doc: str, name: str) -> str:
    """The docstring in a Keras's words: it is written for `keras`."""
    return re.sub(r"\bkeras\.(?!io)", f"{name}.", doc)
