"""A sampler as a layer, so that Keras's files hold its state wherever it hangs."""

from __future__ import annotations

from typing import Any

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.samplers import saving
from tf_sampled_compat.keras_common import bases, sampler_config

# Saved models contain this name. Never change it.
_PREFIX = "sampler_"


class Sampler(bases.Layer):
    """Holds a sampler in a layer or model of the caller's: Keras saves the state of layers only."""

    def __init__(self, sampler: Any, **kwargs: Any):
        super().__init__(**kwargs)
        checks.sampler(sampler, True)
        self.sampler = sampler
        # The losses ask a sampler for these.
        self.takes_mask = getattr(sampler, "takes_mask", False)
        self.draws_fewer = getattr(sampler, "draws_fewer", False)
        self.built = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Draws by the sampler, whose arguments and results these are."""
        return self.sampler(*args, **kwargs)

    def save_own_variables(self, store: Any) -> None:
        """Saves the state of the sampler."""
        for name, value in saving.values_of(self.sampler).items():
            store[_PREFIX + name] = value

    def load_own_variables(self, store: Any) -> None:
        """Loads the result of `save_own_variables`."""
        state = {name[len(_PREFIX) :]: store[name] for name in store.keys()}
        if state:
            saving.load(self.sampler, state)

    def get_config(self) -> dict[str, Any]:
        """Describes the layer and its sampler, without the state."""
        return {
            **super().get_config(),
            "sampler": sampler_config.serialize(self.sampler, self._keras),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sampler:
        """Makes a layer from the result of `get_config`."""
        sampler = sampler_config.deserialize(saving.entry(config, "sampler"), cls._keras)
        return cls(**{**config, "sampler": sampler})
