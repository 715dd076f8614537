"""A function passed to Keras's `compile` as a loss names the class to pass instead."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeVar, cast

import tensorflow as tf

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


def use_after_towers(function: _Function) -> _Function:
    """Decorates a loss of two towers, which may well be called with two tensors.

    It fails for two that can be no activations of queries and candidates.
    """

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if len(args) == 2 and not kwargs and all(map(tf.is_tensor, args)):
            one, other = (each.shape for each in args)
            ranks = one.rank, other.rank
            is_column = ranks == (2, 2) and one[1] == 1 and other[1] != 1
            if is_column or (None not in ranks and ranks != (2, 2)):
                errors.fail(
                    function.__name__,
                    "queries and candidates, both [batch_size, dim]. As a loss of Keras pass "
                    "tsc.keras.losses.InBatchSoftmax(), after a tsc.keras.layers.InBatchLogits",
                    f"shapes {one} and {other}, as of the labels and outputs of a model",
                    errors.ArgumentTypeError,
                )
        return function(*args, **kwargs)

    return cast(_Function, checked)
