"""The part of the lazy optimizers for Keras 3 only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.lazy import loss_scale, mistakes, rows
from tf_sampled_compat.lazy.accumulation import Window, Windows
from tf_sampled_compat.lazy.optimizer import Lazy


class LazyKeras3(Lazy):
    """Binds `Lazy` to the methods of a Keras 3 optimizer."""

    _windows: Optional[Windows] = None

    def apply(self, grads: Sequence[Any], trainable_variables: Optional[Any] = None) -> None:
        """Updates variables by their gradients, as Keras's method of this name does."""
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            mistakes.refuse_whole(trainable_variables)
        grads = [rows.unique(gradient) for gradient in grads]
        self._note_sparse(grads, trainable_variables or self._trainable_variables)
        with mistakes.explained(self.gradient_accumulation_steps):
            super().apply(grads, trainable_variables)

    def build(self, variables: Any) -> None:
        """Makes the slots, as Keras's method of this name does."""
        variables = list(variables)
        mistakes.refuse_whole(variables)
        super().build(variables)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "loss_scale_factor":
            loss_scale.adopt_wrapper(self, depth=1)
        if name == "_iterations":
            value.assign_add = _AtomicAdd(value)
        super().__setattr__(name, value)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates a variable, as Keras's method of this name does."""
        if not rows.is_sparse(gradient):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        self._update_rows(gradient, variable, index, learning_rate)

    def _backend_apply_gradients(
        self, grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> None:
        """Updates all variables, or accumulates their gradients, as Keras does, but by rows.

        Keras's method adds each gradient to its accumulator with `+`, which would make it dense.
        So the method is replaced as a whole.
        """
        if not (self.gradient_accumulation_steps and self._lazy_keys):
            super()._backend_apply_gradients(grads, trainable_variables)
            return
        # `_iterations` counts calls; `iterations` counts windows.
        is_last = tf.equal((self._iterations + 1) % self.gradient_accumulation_steps, 0)
        tf.cond(
            is_last,
            lambda: self._update_from_windows(grads, trainable_variables),
            lambda: self._add_to_windows(grads, trainable_variables),
        )
        if self.use_ema:
            self._update_model_variables_moving_average(self._trainable_variables)
            if self.ema_overwrite_frequency:
                tf.cond(
                    tf.equal((self.iterations + 1) % self.ema_overwrite_frequency, 0),
                    lambda: self._overwrite_model_variables_with_average_value(
                        self._trainable_variables
                    ),
                    lambda: None,
                )

    def _update_from_windows(self, grads: Sequence[Any], variables: Sequence[Any]) -> None:
        """The last step of a window: updates by the mean gradient and clears the accumulators."""
        step, means = tf.cast(self._iterations, tf.int64), []
        for gradient, slot in zip(grads, self._accumulators_of(variables)):
            if rows.is_sparse(gradient):
                total = self._window_of(slot).total(gradient, step)
            else:
                total = gradient + slot
            means.append(total / self.gradient_accumulation_steps)
        means = self._clip_gradients(means)
        self._apply_weight_decay(variables)
        self._backend_update_step(means, variables, self.learning_rate)
        self._backend_reset_gradient_accumulators()

    def _add_to_windows(self, grads: Sequence[Any], variables: Sequence[Any]) -> None:
        """Any other step of a window: adds the gradients to the accumulators."""
        step, dense = tf.cast(self._iterations, tf.int64), []
        for gradient, slot in zip(grads, self._accumulators_of(variables)):
            if rows.is_sparse(gradient):
                self._window_of(slot).add(gradient, step)
            else:
                dense.append((gradient, slot))
        if dense:
            super()._backend_increment_gradient_accumulators(*zip(*dense))

    def _accumulators_of(self, variables: Sequence[Any]) -> list[Any]:
        return [
            self._accumulated_gradients[self._get_variable_index(variable)]
            for variable in variables
        ]

    def _window_of(self, slot: Any) -> Window:
        if self._windows is None:
            self._windows = Windows(self.gradient_accumulation_steps)
        return self._windows.of(slot)

    def _backend_reset_gradient_accumulators(self) -> None:
        for variable, accumulator in zip(self._trainable_variables, self._accumulated_gradients):
            if accumulator is None:
                continue
            if self._is_lazy(variable):
                self._window_of(accumulator).clear()
            else:
                accumulator.assign(tf.zeros(accumulator.shape, accumulator.dtype))

    def _is_first(self) -> tf.Tensor:
        return tf.equal(self.iterations, 0)

    def _kept_average(self) -> tf.Tensor:
        return tf.where(self._is_first(), 0.0, self.ema_momentum)

    def _update_model_variables_moving_average(self, trainable_variables: Sequence[Any]) -> None:
        # The rows of a lazy variable were averaged together with their update. Keras starts an
        # average at zero, so the first step copies the whole variable into it.
        for variable, average in zip(trainable_variables, self._model_variables_moving_average):
            if average is None:
                continue
            if self._is_lazy(variable):
                tf.cond(self._is_first(), _Copy(variable, average), lambda: None)
            else:
                kept = tf.cast(self._kept_average(), variable.dtype)
                average.assign(kept * average + (1 - kept) * variable)


class _AtomicAdd:
    """`assign_add` of a Keras variable, so that of two workers' additions none is lost.

    Keras's own method reads the variable, adds and writes.
    """

    def __init__(self, variable: Any):
        self._variable = variable

    def __call__(self, value: Any) -> Any:
        return self._variable.value.assign_add(tf.cast(value, self._variable.value.dtype))


class _Copy:
    """Copies a variable into another, when called."""

    def __init__(self, variable: Any, target: Any):
        self._variable, self._target = variable, target

    def __call__(self) -> None:
        self._target.assign(self._variable)
