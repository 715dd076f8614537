"""The lazy optimizers' part that is particular to Keras 3."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.lazy import rows
from tf_sampled_compat.lazy.accumulation import Accumulating, Windows
from tf_sampled_compat.lazy.optimizer import Lazy


class LazyKeras3(Lazy):
    """Binds `Lazy` to the methods of a Keras 3 optimizer."""

    _windows: Optional[Windows] = None

    def apply(self, grads: Sequence[Any], trainable_variables: Optional[Any] = None) -> None:
        """Updates variables by their gradients; see Keras's."""
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
        variables = trainable_variables or self._trainable_variables
        grads = [rows.unique(gradient) for gradient in grads]
        self._note_sparse(grads, variables)
        if self.gradient_accumulation_steps and self._lazy_keys:
            if not self.built:
                self.build(variables)
            grads = self._accumulating(grads, variables)
        super().apply(grads, trainable_variables)

    def __setattr__(self, name: str, value: Any) -> None:
        # A `LossScaleOptimizer` tells what it wraps nothing, but that it shall not scale too. It is
        # made by `compile` under mixed_float16, so that a class of ours would come too late.
        if name == "loss_scale_factor":
            caller = sys._getframe(1).f_locals.get("self")
            check = getattr(caller, "check_finite", None)
            if check is not None and getattr(caller, "inner_optimizer", None) is self:
                caller.check_finite = _SparseCheck(check)
        super().__setattr__(name, value)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates a variable; see Keras's."""
        if not rows.is_sparse(gradient):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        self._update_rows(gradient, variable, index, learning_rate)

    def _accumulating(self, grads: Sequence[Any], variables: Sequence[Any]) -> list[Any]:
        if self._windows is None:
            self._windows = Windows(self.gradient_accumulation_steps)
        step, made = tf.cast(self._iterations, tf.int64), []
        for gradient, variable in zip(grads, variables):
            if rows.is_sparse(gradient):
                slot = self._accumulated_gradients[self._get_variable_index(variable)]
                gradient = Accumulating(gradient, self._windows.of(slot), step)
            made.append(gradient)
        return made

    def _backend_increment_gradient_accumulators(
        self, grads: Sequence[Any], acc_grads: Sequence[Any]
    ) -> None:
        dense = [pair for pair in zip(grads, acc_grads) if not rows.is_sparse(pair[0])]
        for gradient in grads:
            if rows.is_sparse(gradient):
                gradient.accumulate()
        if dense:
            super()._backend_increment_gradient_accumulators(*zip(*dense))

    def _backend_reset_gradient_accumulators(self) -> None:
        for variable, accumulator in zip(self._trainable_variables, self._accumulated_gradients):
            if accumulator is None:
                continue
            if self._is_lazy(variable):
                self._windows.of(accumulator).clear()
            else:
                accumulator.assign(tf.zeros(accumulator.shape, accumulator.dtype))

    def _is_first(self) -> tf.Tensor:
        return tf.equal(self.iterations, 0)

    def _kept_average(self) -> tf.Tensor:
        return tf.where(self._is_first(), 0.0, self.ema_momentum)

    def _update_model_variables_moving_average(self, trainable_variables: Sequence[Any]) -> None:
        # Of a lazy variable the rows that occurred have been averaged with their update; only at
        # the first step is an average, which Keras makes of zeros, given all of its variable.
        for variable, average in zip(trainable_variables, self._model_variables_moving_average):
            if average is None:
                continue
            if self._is_lazy(variable):
                tf.cond(self._is_first(), _Copy(variable, average), lambda: None)
            else:
                kept = tf.cast(self._kept_average(), variable.dtype)
                average.assign(kept * average + (1 - kept) * variable)


class _Copy:
    """Copies a variable into another, when called."""

    def __init__(self, variable: Any, target: Any):
        self._variable, self._target = variable, target

    def __call__(self) -> None:
        self._target.assign(self._variable)


class _SparseCheck:
    """Whether all gradients are finite, without making a sparse one dense."""

    def __init__(self, check: Any):
        self._check = check

    def __call__(self, grads: Sequence[Any]) -> tf.Tensor:
        return self._check(
            [gradient.values if rows.is_sparse(gradient) else gradient for gradient in grads]
        )
