"""A loss's sampler: a name, a name with options, or anything that is called like a sampler."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Callable, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core import errors, internals, samplers

NAMED = {
    "fixed_unigram": samplers.fixed_unigram_candidate_sampler,
    "learned_unigram": samplers.learned_unigram_candidate_sampler,
    "log_uniform": samplers.log_uniform_candidate_sampler,
    "uniform": samplers.uniform_candidate_sampler,
}
_NAMES = {function: name for name, function in NAMED.items()}


def normalize(sampler: Any) -> Any:
    """Returns a name, a dictionary of a name and options, or a callable.

    Args:
      sampler: One of these; or a function of `tf_sampled_compat.random`, as it is or in a
        `functools.partial` with options, which is brought to the first two forms: a config can
        hold them.

    Raises:
      ArgumentError: For an unknown name, or what cannot be called.
    """
    if isinstance(sampler, functools.partial) and not sampler.args and sampler.func in _NAMES:
        sampler = {"name": _NAMES[sampler.func], **sampler.keywords}
    if isinstance(sampler, Mapping):
        options = {key: _plain(value) for key, value in sampler.items()}
        _check_name(options.get("name"))
        return options
    if callable(sampler):
        return _NAMES.get(sampler, sampler) if _is_hashable(sampler) else sampler
    _check_name(sampler)
    return sampler


def draw(
    sampler: Any,
    labels: tf.Tensor,
    *,
    num_true: int,
    num_sampled: int,
    num_classes: int,
    seed: Optional[int],
) -> Any:
    """Draws `sampled_values` for `[N, num_true]` labels.

    Args:
      sampler: What `normalize` returned.
      labels: `[N, num_true]` int64 class ids.
      num_true: The number of true classes of each example.
      num_sampled: How many classes to draw.
      num_classes: The number of classes.
      seed: The operation's seed, or None.
    """
    call: Callable[..., Any] = sampler
    if not callable(sampler):
        options = dict(sampler) if isinstance(sampler, Mapping) else {"name": sampler}
        name = options.pop("name")
        check_compilable(name)
        call = functools.partial(NAMED[name], **options)
    return call(
        true_classes=labels,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=True,
        range_max=num_classes,
        seed=seed,
    )


def serialize(sampler: Any, keras: Any) -> Any:
    """Describes a sampler in a config; an object needs to be known to Keras."""
    return keras.utils.serialize_keras_object(sampler) if callable(sampler) else sampler


def deserialize(config: Any, keras: Any) -> Any:
    """Returns the sampler that `serialize` described."""
    if isinstance(config, Mapping) and "class_name" in config:
        return keras.utils.deserialize_keras_object(config)
    return config


def check_compilable(name: str) -> None:
    """Fails where XLA would, with words that say what to do."""
    if internals.in_xla_context():
        errors.fail(
            "jit_compile",
            "False (or None): TensorFlow's candidate samplers have no XLA kernel. (Keras 3 turns "
            "it off by itself if the head has been attached to the model before compile)",
            f"jit_compile=True with the sampler {name!r}",
        )


def _check_name(name: Any) -> None:
    if name not in NAMED:
        errors.fail(
            "sampler",
            f"one of {sorted(NAMED)}, a dictionary of a name and that sampler's options, or a "
            "callable with a sampler's arguments",
            repr(name),
        )


def _is_hashable(value: Any) -> bool:
    return type(value).__hash__ is not None


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, tuple):
        return list(value)
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
