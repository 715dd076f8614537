"""A loss's sampler: a name, a name with options, or any callable with a sampler's arguments."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Callable

import numpy as np

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers import default, tensorflow_kernels
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.samplers.mixture import InBatchSampler, MixtureSampler

NAMED = {
    "fixed_unigram": tensorflow_kernels.fixed_unigram_candidate_sampler,
    "learned_unigram": tensorflow_kernels.learned_unigram_candidate_sampler,
    "log_uniform": tensorflow_kernels.log_uniform_candidate_sampler,
    "uniform": tensorflow_kernels.uniform_candidate_sampler,
}
_LEARNED = "LearnedUnigramSampler"
_NAMES = {function: name for name, function in NAMED.items()}


def normalize(sampler: Any) -> Any:
    """Returns a name, a dictionary of a name and options, or a callable.

    Args:
      sampler: One of these. A function of `tf_sampled_compat.random`, or a `functools.partial` of
        one, becomes a name or a dictionary, so that a config can hold it.

    Raises:
      ArgumentError: If the name is unknown, or the value is neither a name nor callable.
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


def check_size(sampler: Any, num_sampled: int, num_classes: int) -> None:
    """Checks that a sampler of distinct classes has enough of them."""
    is_named = isinstance(sampler, (str, Mapping))
    if (is_named or isinstance(sampler, LearnedUnigramSampler)) and num_sampled > num_classes:
        errors.fail(
            "num_sampled",
            f"at most {num_classes}, the number of classes of the SampledDense layer, as the "
            "sampled classes are distinct (with so few classes, Keras's own losses are as fast)",
            num_sampled,
        )


def resolve(sampler: Any, learner: Callable[[], Any]) -> Callable[..., Any]:
    """Returns a callable with the signature of TensorFlow's samplers.

    Args:
      sampler: The result of `normalize`.
      learner: Returns the loss's own `LearnedUnigramSampler`, whose counts are saved. TensorFlow's
        learned sampler keeps them in a kernel, and XLA cannot compile it.
    """
    if callable(sampler):
        return sampler
    options = dict(sampler) if isinstance(sampler, Mapping) else {"name": sampler}
    name = options.pop("name")
    if name == "learned_unigram":
        return learner()
    return functools.partial(default.BY_NAME[name], **options)


def register(register_class: Callable[[Any], Any]) -> None:
    """Registers the samplers that have a config with a Keras, so that it loads them from files.

    Args:
      register_class: The result of `registration.registrar`.
    """
    for sampler in (LearnedUnigramSampler, InBatchSampler, MixtureSampler):
        register_class(sampler)


def serialize(sampler: Any, keras: Any) -> Any:
    """Describes a sampler in a config. A custom object must be registered with Keras.

    Its state is not in the config, but in the files and checkpoints of the model. While Keras saves
    a model, two descriptions of one sampler have the same number.
    """
    if not callable(sampler):
        return sampler
    described = _described(sampler, keras)
    if isinstance(sampler, MixtureSampler):
        # Not every Keras describes what is inside a config.
        described["config"] = {
            **described["config"],
            "samplers": [
                keras.utils.serialize_keras_object(inner) if callable(inner) else inner
                for inner in sampler.get_config()["samplers"]
            ],
        }
    return described


def _described(sampler: Any, keras: Any) -> dict[str, Any]:
    # Keras numbers an object when it describes it again. The caller copies what it gets at once.
    keras.utils.serialize_keras_object(sampler)
    return dict(keras.utils.serialize_keras_object(sampler))


def deserialize(config: Any, keras: Any) -> Any:
    """Returns the sampler that `serialize` described; the same one for the same number."""
    if isinstance(config, Mapping) and _LEARNED in config:  # As in files of the first releases.
        return LearnedUnigramSampler(**config[_LEARNED])
    if not isinstance(config, Mapping) or "class_name" not in config:
        return config
    inside = config.get("config")
    if isinstance(inside, Mapping) and {"samplers", "sizes", "shared"} <= set(inside):
        samplers = [deserialize(inner, keras) for inner in inside["samplers"]]
        config = {**config, "config": {**inside, "samplers": samplers}}
    return keras.utils.deserialize_keras_object(config)


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
    """Converts a value to one that JSON can hold."""
    if isinstance(value, tuple):
        return list(value)
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
