"""Describes the samplers inside a sampler as JSON, so that what they share stays shared."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers import tensorflow_kernels
from tf_sampled_compat.core.samplers.saving import plain

# The functions that a name describes.
_FUNCTIONS = {
    name: getattr(tensorflow_kernels, name)
    for name in (
        "all_candidate_sampler",
        "fixed_unigram_candidate_sampler",
        "log_uniform_candidate_sampler",
        "uniform_candidate_sampler",
    )
}


def distinct(samplers: Sequence[Any]) -> list[Any]:
    """Returns the objects that hold the samplers' states, each once.

    Their places are in files. So modules without a method to save them, which older files lack,
    come last.
    """
    holders = [getattr(sampler, "frequencies", sampler) for sampler in samplers]
    savers = [one for one in holders if hasattr(one, "save_own_variables")]
    found: list[Any] = []
    for holder in [*savers, *(one for one in holders if isinstance(one, tf.Module))]:
        if not any(holder is one for one in found):
            found.append(holder)
    return found


def describe(sampler: Any, shared: Sequence[Any]) -> Any:
    """Describes a sampler.

    Args:
      sampler: A sampler in another one.
      shared: The samplers that are described elsewhere, and here by their places.

    Returns:
      `{"shared": place}`, or `{"name": name, "options": options}` for a function of this package,
      or the sampler itself, which only a Keras can describe.
    """
    for place, other in enumerate(shared):
        if sampler is other:
            return {"shared": place}
    options, function = {}, sampler
    if isinstance(sampler, functools.partial) and not sampler.args:
        function, options = sampler.func, sampler.keywords
    for name, known in _FUNCTIONS.items():
        if function is known:
            return {"name": name, "options": {key: plain(v) for key, v in options.items()}}
    return sampler


def rebuild(description: Any, shared: Sequence[Any]) -> Any:
    """Returns the sampler that `describe` described."""
    if callable(description):
        return description
    if isinstance(description, Mapping) and "shared" in description:
        return shared[description["shared"]]
    if isinstance(description, Mapping) and description.get("name") in _FUNCTIONS:
        function, options = _FUNCTIONS[description["name"]], description["options"]
        return functools.partial(function, **options) if options else function
    errors.fail(
        "samplers",
        "descriptions of samplers of tsc.random. (A loss of tsc.keras also rebuilds a function "
        "that is registered with Keras)",
        description,
    )
