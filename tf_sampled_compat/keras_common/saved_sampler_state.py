"""The state of samplers that a head saves beside its weights."""

from __future__ import annotations

import contextlib
import gc
import itertools
import warnings
import weakref
from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.samplers import saving
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.keras_common.named_variables import NamedVariables

# Saved models contain these names. Never change them.
_PREFIX = "sampler_"

# When states were loaded and given to samplers, to tell which came first.
_clock = itertools.count(1)
_given: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


class _Held(NamedTuple):
    """A sampler, and a weak reference to the loss that draws by it."""

    sampler: Any
    loss: Callable[[], Any]


class SamplerState:
    """Holds the samplers that draw for a head, or their loaded states until they come.

    Keras saves the state of layers, not of losses. So a loss gives its sampler to the head when it
    first meets the head. The head's part of a Keras file then has the sampler's state, and the
    head's part of a `tf.train.Checkpoint` its variables. A state that is loaded before waits for
    its sampler, and is saved again as it came. The samplers of a head differ by the order in which
    they come. A loss that no longer exists, as after another `compile`, gives the place of its
    sampler up.

    Args:
      variables: An attribute of the head: the variables of the states by their names in files.
    """

    def __init__(self, variables: NamedVariables) -> None:
        self._variables = variables
        self._held: list[_Held] = []
        self._loaded_at = 0

    def hold(self, sampler: Any, head: Any, loss: Any) -> None:
        """Holds the sampler of a training step and restores its loaded state.

        Args:
          sampler: Any sampler; one without a state is not held.
          head: The layer whose checkpoints shall have the sampler's variables.
          loss: The loss that draws by it.
        """
        is_trackable = isinstance(sampler, tf.__internal__.tracking.Trackable)
        if not is_trackable and not hasattr(sampler, "save_own_variables"):
            return
        held = _Held(sampler, weakref.ref(loss))
        for place, other in enumerate(self._held):
            if sampler is other.sampler:
                self._held[place] = held if other.loss() is None else other
                return
        self._collect_losses()
        place = next((i for i, one in enumerate(self._held) if one.loss() is None), None)
        with tf.init_scope():
            if place is None:
                place = len(self._held)
                self._held.append(held)
            else:
                self._give_up(place)
            self._held[place] = held
            part = f"{_PREFIX}{place}"
            if is_trackable and part in private.deferred_names(head):
                # The checkpoint that TensorFlow now restores is newer than what was loaded.
                self._variables.take(self._names(place))
            if is_trackable:
                private.track(head, part, sampler)
            self._restore(place)

    def save(self, store: Any) -> None:
        """Puts the samplers' states into a layer's store."""
        state = {name: variable.numpy() for name, variable in self._variables.all().items()}
        for place, held in enumerate(self._held):
            values = saving.values_of(held.sampler)
            state.update({_start(place) + name: value for name, value in values.items()})
        for name, value in state.items():
            store[name] = value

    def load(self, store: Any, head: Any) -> dict[str, Any]:
        """Takes the samplers' states from a layer's store and returns the remaining variables."""
        names = list(store.keys())
        loaded = {name: np.asarray(store[name]) for name in names if name.startswith(_PREFIX)}
        parts = [part for part in private.deferred_names(head) if part.startswith(_PREFIX)]
        private.forget_deferred(head, parts)
        self._collect_losses()
        self._variables.clear()
        self._loaded_at = next(_clock)
        for name, value in loaded.items():
            self._variables.put(name, value)
        for place, held in enumerate(self._held):
            if held.loss() is not None:
                self._restore(place)
        return {name: store[name] for name in names if not name.startswith(_PREFIX)}

    def _collect_losses(self) -> None:
        """Has Python find the losses that only cycles of references keep."""
        if self._held:
            gc.collect()

    def _give_up(self, place: int) -> None:
        """Forgets the variables of the sampler that had a place, but not what was loaded for it."""
        gone = (saving.variables_of(self._held[place].sampler) or {}).values()
        held = self._variables.all()
        self._variables.take([n for n, each in held.items() if any(each is one for one in gone)])

    def _names(self, place: int) -> list[str]:
        """Returns the names of what was loaded for the sampler of a place."""
        mine = [name for name in self._variables.all() if name.startswith(_start(place))]
        if place == 0:  # Its names have no number, as in files of the first releases.
            mine = [name for name in mine if not name[len(_PREFIX) :].partition("_")[0].isdigit()]
        return mine

    def _restore(self, place: int) -> None:
        """Gives a sampler its part of what was loaded, and files the sampler's variables."""
        start, sampler = _start(place), self._held[place].sampler
        loaded = self._variables.take(self._names(place))
        state = {name[len(start) :]: value for name, value in loaded.items()}
        now = saving.values_of(sampler)
        if state and 0 < self._loaded_at < _given_at(sampler):
            pass  # Another head has the same sampler, which has drawn and learned since.
        elif {n: v.shape for n, v in now.items()} == {n: v.shape for n, v in state.items()}:
            saving.load(sampler, state)
            with contextlib.suppress(TypeError):  # A sampler of one's own may have no hash.
                _given[sampler] = next(_clock)
        elif state:
            warnings.warn(
                f"the file holds the state of another sampler than {sampler!r}, which therefore "
                "starts afresh: compile the model with the sampler that it was saved with",
                stacklevel=2,
            )
        for name, variable in (saving.variables_of(sampler) or {}).items():
            self._variables.hold(start + name, variable)


def _given_at(sampler: Any) -> int:
    try:
        return _given.get(sampler, 0)
    except TypeError:
        return 0


def _start(place: int) -> str:
    return _PREFIX if place == 0 else f"{_PREFIX}{place}_"
