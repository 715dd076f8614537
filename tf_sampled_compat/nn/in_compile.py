"""A function passed to Keras's `compile` as a loss names the class to pass instead."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeVar, cast

from tf_sampled_compat.core.arguments import errors

_Function = TypeVar("_Function", bound=Callable[..., Any])


def use_instead(loss: str) -> Callable[[_Function], _Function]:
    """Returns a decorator that fails for a call with two tensors, as Keras calls a loss.

    Args:
      loss: The class in `tsc.keras.losses` that Keras should get.
    """

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if len(args) == 2 and not kwargs:
                errors.fail(
                    function.__name__,
                    "weights, biases, labels, inputs and the number of classes. As a loss of Keras "
                    f"pass tsc.keras.losses.{loss}, after a tsc.keras.layers.SampledDense",
                    "two tensors, as Keras passes to a loss",
                    errors.ArgumentTypeError,
                )
            return function(*args, **kwargs)

        return cast(_Function, checked)

    return decorate
