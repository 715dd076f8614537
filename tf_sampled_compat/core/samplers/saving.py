"""How a sampler is described, pickled and copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import as_tensor


class SavedSampler(tf.Module):
    """A sampler with a config and a state. Its variables are in checkpoints, as a module's are."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments. The state is not among them."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes a sampler from the result of `get_config`, with a fresh state."""
        if not isinstance(config, Mapping):
            expected = "the result of get_config"
            errors.fail("config", expected, checks.described(config), errors.ArgumentTypeError)
        return cls(**config)

    def _state(self) -> Optional[dict[str, tf.Variable]]:
        """Returns the variables of the state by their names in files, which never change.

        None if a part of the state is no variable that is known.
        """
        raise NotImplementedError

    def save_own_variables(self, store: Any) -> None:
        """Stores the state in a mapping; a Keras layer's method of this name can call it."""
        for name, variable in (self._state() or {}).items():
            store[name] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Restores the state that `save_own_variables` stored."""
        restore(self._state() or {}, store, type(self).__name__)


def variables_of(sampler: Any) -> Optional[dict[str, tf.Variable]]:
    """Returns the variables of a sampler's state by their names in files.

    Args:
      sampler: Any sampler. A module of the caller's has its variables, and a function has none.

    Returns:
      None if the sampler saves itself in its own way.
    """
    if isinstance(sampler, SavedSampler):
        return sampler._state()
    if hasattr(sampler, "save_own_variables"):
        return None
    variables = sampler.variables if isinstance(sampler, tf.Module) else ()
    return {f"variable_{i}": variable for i, variable in enumerate(variables)}


def values_of(sampler: Any) -> dict[str, np.ndarray]:
    """Returns the state of any sampler by its names in files."""
    state: dict[str, Any] = {}
    if hasattr(sampler, "save_own_variables"):
        sampler.save_own_variables(state)
    else:
        state = {name: variable.numpy() for name, variable in (variables_of(sampler) or {}).items()}
    return {name: np.asarray(value) for name, value in state.items()}


def load(sampler: Any, values: Mapping[str, Any]) -> None:
    """Gives any sampler the state that `values_of` returned."""
    if hasattr(sampler, "load_own_variables"):
        sampler.load_own_variables(dict(values))
        return
    for name, variable in (variables_of(sampler) or {}).items():
        variable.assign(values[name])


def make(cls: Any, arguments: dict[str, Any]) -> Any:
    """Makes an object again. (`pickle` and `copy` find this function by its name.)"""
    return cls(**arguments)


def restore(state: dict[str, tf.Variable], store: Any, sampler: str) -> None:
    """Assigns what `save_own_variables` stored; checks all of it before it assigns any."""
    expected = f"the saved state of a {sampler}: {', '.join(state)}"
    check_store(store, expected)
    missing = [name for name in state if name not in store]
    if missing:
        errors.fail("store", expected, f"one without {', '.join(missing)}")
    values = {name: as_tensor(f"store[{name!r}]", store[name]) for name in state}
    for name, variable in state.items():
        if not values[name].shape.is_compatible_with(variable.shape):
            got = f"{values[name].shape}"
            errors.fail(f"store[{name!r}]", f"shape {variable.shape}", got)
        if values[name].dtype != variable.dtype:
            got = values[name].dtype.name
            errors.fail(f"store[{name!r}]", f"dtype {variable.dtype.name}", got)
    for name, variable in state.items():
        variable.assign(values[name])


def check_store(store: Any, expected: str) -> None:
    """Checks that a saved state is a mapping of some kind."""
    if not hasattr(store, "keys"):
        errors.fail("store", expected, checks.described(store), errors.ArgumentTypeError)


def entry(config: Any, key: str) -> Any:
    """Returns an entry of a sampler's config."""
    if not isinstance(config, Mapping) or key not in config:
        expected = f"the result of get_config, which has {key!r}"
        errors.fail("config", expected, checks.described(config))
    return config[key]


def plain(value: Any) -> Any:
    """Converts a value to one that JSON can hold."""
    if tf.is_tensor(value):
        value = value.numpy()
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
