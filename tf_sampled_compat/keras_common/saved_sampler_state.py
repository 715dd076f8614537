"""The state of samplers that a head saves beside its weights."""

from __future__ import annotations

import gc
import warnings
import weakref
from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.tf import private

# Saved models contain these names. Never change them.
_PREFIX = "sampler_"


class _Held(NamedTuple):
    """A sampler, and a weak reference to the loss that draws by it."""

    sampler: Any
    loss: Callable[[], Any]


class SamplerState:
    """Holds the samplers that draw for a head, or their loaded states until they come.

    Keras saves the state of layers, not of losses. So a loss gives its sampler to the head when it
    first meets the head. The head's part of a Keras file then has the sampler's state, and the
    head's part of a `tf.train.Checkpoint` its variables. A state that is loaded before waits for
    its sampler: here, or in TensorFlow's deferred restoration. The samplers of a head differ by the
    order in which they come. A loss that no longer exists, as after another `compile`, gives the
    place of its sampler up.
    """

    def __init__(self) -> None:
        self._held: list[_Held] = []
        self._loaded: dict[str, np.ndarray] = {}

    def hold(self, sampler: Any, head: Any, loss: Any) -> None:
        """Holds the sampler of a training step and restores its loaded state.

        Args:
          sampler: Any sampler; one without a state is not held.
          head: The layer whose checkpoints shall have the sampler's variables.
          loss: The loss that draws by it.
        """
        is_module = isinstance(sampler, tf.Module)
        if not is_module and not hasattr(sampler, "save_own_variables"):
            return
        held = _Held(sampler, weakref.ref(loss))
        for place, other in enumerate(self._held):
            if sampler is other.sampler:
                self._held[place] = held if other.loss() is None else other
                return
        self._collect_losses()
        place = next((i for i, one in enumerate(self._held) if one.loss() is None), None)
        if place is None:
            place = len(self._held)
            self._held.append(held)
        self._held[place] = held
        with tf.init_scope():
            if is_module:
                private.track(head, f"{_PREFIX}{place}", sampler)
            self._restore(place)

    def save(self, store: Any) -> None:
        """Puts the samplers' states into a layer's store."""
        for name, value in self._loaded.items():
            store[name] = value
        for place, held in enumerate(self._held):
            for name, value in _state(held.sampler).items():
                store[_start(place) + name] = value

    def load(self, store: Any) -> dict[str, Any]:
        """Takes the samplers' states from a layer's store and returns the remaining variables."""
        names = list(store.keys())
        self._loaded = {name: np.asarray(store[name]) for name in names if name.startswith(_PREFIX)}
        self._collect_losses()
        for place, held in enumerate(self._held):
            if held.loss() is not None:
                self._restore(place)
        return {name: store[name] for name in names if not name.startswith(_PREFIX)}

    def _collect_losses(self) -> None:
        """Has Python find the losses that only cycles of references keep."""
        if self._held:
            gc.collect()

    def _restore(self, place: int) -> None:
        """Gives a sampler its part of what was loaded."""
        start = _start(place)
        mine = {name for name in self._loaded if name.startswith(start)}
        if place == 0:  # Its names have no number, as in files of the first releases.
            mine = {name for name in mine if not name[len(_PREFIX) :].partition("_")[0].isdigit()}
        state = {name[len(start) :]: self._loaded.pop(name) for name in sorted(mine)}
        if not state:
            return
        sampler = self._held[place].sampler
        now = _state(sampler)
        if {n: v.shape for n, v in now.items()} != {n: v.shape for n, v in state.items()}:
            warnings.warn(
                f"the file holds the state of another sampler than {sampler!r}, which therefore "
                "starts afresh: compile the model with the sampler that it was saved with",
                stacklevel=2,
            )
            return
        _load(sampler, state)


def _start(place: int) -> str:
    return _PREFIX if place == 0 else f"{_PREFIX}{place}_"


def _state(sampler: Any) -> dict[str, np.ndarray]:
    """Returns a sampler's state: what it says itself, or the variables of a module."""
    state: dict[str, Any] = {}
    if hasattr(sampler, "save_own_variables"):
        sampler.save_own_variables(state)
    else:
        state = {f"variable_{i}": v.numpy() for i, v in enumerate(sampler.variables)}
    return {name: np.asarray(value) for name, value in state.items()}


def _load(sampler: Any, state: dict[str, np.ndarray]) -> None:
    if hasattr(sampler, "load_own_variables"):
        sampler.load_own_variables(state)
        return
    for i, variable in enumerate(sampler.variables):
        variable.assign(state[f"variable_{i}"])
