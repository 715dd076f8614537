"""How a sampler is described, pickled and copied."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class SavedSampler(tf.Module):
    """A sampler with a config and a state. Its variables are in checkpoints, as a module's are."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments. The state is not among them."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes a sampler from the result of `get_config`, with a fresh state."""
        return cls(**config)

    def save_own_variables(self, store: Any) -> None:
        """Stores the state in a mapping; a Keras layer's method of this name can call it."""
        raise NotImplementedError

    def load_own_variables(self, store: Any) -> None:
        """Restores the state that `save_own_variables` stored."""
        raise NotImplementedError


def make(cls: Any, arguments: dict[str, Any]) -> Any:
    """Makes an object again. (`pickle` and `copy` find this function by its name.)"""
    return cls(**arguments)


def plain(value: Any) -> Any:
    """Converts a value to one that JSON can hold."""
    if tf.is_tensor(value):
        value = value.numpy()
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
