"""A loss's margin, as an object and in a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from tf_sampled_compat import margins
from tf_sampled_compat.core.arguments import checks


def register(register_class: Callable[[Any], Any]) -> None:
    """Registers the margins with a Keras, so that it loads them from files.

    Args:
      register_class: The result of `registration.registrar`.
    """
    for margin in (margins.ArcFace, margins.CosFace):
        register_class(margin)


def margin(value: Any, keras: Any) -> Any:
    """Returns a margin, or None, given one or the description of one in a config."""
    if isinstance(value, Mapping):
        value = keras.utils.deserialize_keras_object(value)
    checks.margin(value, normalize=True)  # Whether logits are cosines, the head says.
    return value


def serialize(value: Any, keras: Any) -> Any:
    """Describes a margin in a config. A function of the caller's must be registered with Keras."""
    return None if value is None else keras.utils.serialize_keras_object(value)
