"""What `compile` was given, for each output of a model, in any Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.keras_common import private

_PACKAGE = "tf_sampled_compat"


class Compiled(NamedTuple):
    """The losses and metrics of one output.

    Attributes:
      name: The output's name; "" if it is the only one.
      loss: The loss as it was given to `compile`: an object, a string, a function or None.
      metrics: Its metrics, as they were given.
    """

    name: str
    loss: Any
    metrics: tuple[Any, ...]


def by_output(model: Any, y_pred: Any) -> list[Compiled]:
    """Returns the losses and metrics of each output, in the order of the flattened outputs.

    Args:
      model: A compiled model.
      y_pred: Its output: a tensor, or a list or dictionary of tensors.

    Raises:
      ArgumentError: If the model is not compiled.
    """
    loss = getattr(model, "loss", None)
    if not getattr(model, "optimizer", None) or not loss:
        errors.fail("model", "a model after `compile`, with an optimizer and a loss", repr(model))
    names = names_of(model, y_pred)
    losses = _spread(loss, names)
    metrics = [_spread(each, names, lists=True) for each in private.compiled_metrics(model)]
    return [
        Compiled(
            name if len(names) > 1 else "",
            losses[n],
            tuple(m for each in metrics for m in _flat(each[n])),
        )
        for n, name in enumerate(names)
    ]


def names_of(model: Any, y_pred: Any) -> list[str]:
    """Returns the names of a model's outputs, in the order in which they are flattened."""
    if isinstance(y_pred, Mapping):
        return sorted(y_pred)
    count = len(tf.nest.flatten(y_pred))
    names = list(getattr(model, "output_names", None) or [])
    if len(names) == count:
        return names
    return [f"output_{n + 1}" for n in range(count)]


def of_outputs(value: Any, names: Sequence[str]) -> list[Any]:
    """Divides labels or weights among the outputs."""
    if len(names) == 1 and not isinstance(value, Mapping):
        return [value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value]
    return _spread(value, names)


def is_ours(part: Any) -> bool:
    """Whether a loss or metric belongs to this package, or is a subclass of one that does."""
    return any(base.__module__.split(".")[0] == _PACKAGE for base in type(part).__mro__)


def name_of(part: Any) -> str:
    """Returns the name of a metric or loss that may be a string or a function."""
    if isinstance(part, str):
        return part
    return str(getattr(part, "name", None) or getattr(part, "__name__", type(part).__name__))


def _spread(value: Any, names: Sequence[str], lists: bool = False) -> list[Any]:
    """Returns one entry for each output.

    Args:
      value: One entry for all outputs, or a list or dictionary of an entry for each.
      names: The outputs' names.
      lists: Whether an entry may be a list.
    """
    if isinstance(value, Mapping):
        return [value.get(name) for name in names]
    fits = isinstance(value, (list, tuple)) and len(value) == len(names)
    if fits and (len(names) > 1 or not lists):
        return list(value)
    return [value] * len(names)


def _flat(value: Any) -> list[Any]:
    return [each for each in tf.nest.flatten(value) if each is not None]
