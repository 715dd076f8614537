"""The sampler state that a head saves beside its weights."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler

_PREFIX = "sampler_"


class SamplerState:
    """Holds a head's learned sampler, or its loaded state until the sampler exists.

    Keras saves the state of layers, not of losses. So a loss keeps its sampler in the head.
    """

    def __init__(self) -> None:
        self._sampler: Optional[LearnedUnigramSampler] = None
        self._loaded: dict[str, np.ndarray] = {}

    def hold(self, sampler: LearnedUnigramSampler) -> None:
        """Holds the sampler of a training step and restores its loaded state."""
        self._sampler = sampler
        if self._loaded:
            with tf.init_scope():
                sampler.load_own_variables(self._loaded)
            self._loaded = {}

    def save(self, store: Any) -> None:
        """Puts the sampler's state into a layer's store."""
        state = dict(self._loaded)
        if self._sampler is not None:
            self._sampler.save_own_variables(state)
        for name, value in state.items():
            store[_PREFIX + name] = value

    def load(self, store: Any) -> dict[str, Any]:
        """Takes the sampler's state from a layer's store and returns the remaining variables."""
        names = list(store.keys())
        mine = {name[len(_PREFIX) :]: name for name in names if name.startswith(_PREFIX)}
        self._loaded = {name: np.asarray(store[key]) for name, key in mine.items()}
        if self._loaded and self._sampler is not None:
            self.hold(self._sampler)
        return {name: store[name] for name in names if not name.startswith(_PREFIX)}
