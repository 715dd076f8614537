"""Runs parts of a model and gives everything they change the value that it had."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, Callable

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.tf import private

# A trainable variable with more numbers is not copied: training updates it, a forward pass or a
# gradient does not. (Layers that normalize their kernel in a forward pass have smaller ones.)
_MOST_COPIED = 2**24


class Untouched:
    """A context that restores variables and the state of random generators at its end.

    Functions run only by `trace`: as graphs of their own, so that they share no kernel, and so no
    sampler's state, with the functions of the model. Every variable that such a graph touches is
    copied before it first runs.
    """

    def __init__(self, layers: Iterable[Any], variables: Iterable[Any] = ()):
        self._layers = list(layers)
        self._variables = list(variables)
        self._before: dict[int, tuple[tf.Variable, tf.Tensor]] = {}

    def __enter__(self) -> Untouched:
        self._python, self._numpy = random.getstate(), np.random.get_state()
        self._generators = [
            (generator, dict(vars(generator)))
            for layer in self._layers
            if (generator := getattr(layer, "_random_generator", None)) is not None
        ]
        # Keras keeps the tensors of `add_loss` in the layers.
        self._losses = [
            (layer, name, list(losses))
            for layer in self._layers
            for name in ("_losses", "_eager_losses")
            if isinstance(losses := getattr(layer, name, None), list)
        ]
        self._remember(self._variables)
        return self

    def __exit__(self, *_: Any) -> None:
        for variable, value in self._before.values():
            variable.assign(value)
        for generator, state in self._generators:
            for name, value in state.items():
                if getattr(generator, name, None) is not value:
                    setattr(generator, name, value)
        for layer, name, before in self._losses:
            getattr(layer, name)[:] = before
        random.setstate(self._python)
        np.random.set_state(self._numpy)

    def trace(self, function: Callable[..., Any], *specs: tf.TensorSpec) -> Callable[..., Any]:
        """Compiles a function, and remembers the variables that it touches."""
        concrete = tf.function(function, autograph=False).get_concrete_function(*specs)
        self._remember(concrete.graph.variables)
        return concrete

    def _remember(self, variables: Iterable[Any]) -> None:
        for variable in variables:
            variable = private.unwrap_variable(variable)
            if not isinstance(variable, tf.Variable) or id(variable) in self._before:
                continue
            if variable.trainable and (variable.shape.num_elements() or 0) > _MOST_COPIED:
                continue
            self._before[id(variable)] = variable, tf.identity(variable)
