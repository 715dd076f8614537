"""The part of the lazy optimizers for every Keras; a Keras optimizer is their last base."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Optional

import tensorflow as tf

from tf_sampled_compat.lazy import bases, rows, steps


class Lazy(bases.Optimizer):
    """Updates only the rows in a sparse gradient, where Keras would update the whole variable.

    Keras applies dense gradients. `keras3.py` and `keras2.py` add what differs between releases.
    """

    # The keys of the variables whose gradients are sparse in this step.
    _lazy_keys: frozenset[Any] = frozenset()

    def _note_sparse(self, gradients: Iterable[Any], variables: Iterable[Any]) -> None:
        self._lazy_keys = frozenset(
            self._var_key(variable)
            for gradient, variable in zip(gradients, variables)
            if rows.is_sparse(gradient)
        )

    def _is_lazy(self, variable: Any) -> bool:
        return self._var_key(variable) in self._lazy_keys

    def _clip_gradients(self, grads: Sequence[Any]) -> list[Any]:
        # The absent rows are zero. They change no norm, so Keras can clip the present rows alone.
        grads = [rows.unique(gradient) for gradient in grads]
        clipped = super()._clip_gradients(
            [gradient.values if rows.is_sparse(gradient) else gradient for gradient in grads]
        )
        return [
            gradient.with_values(values) if rows.is_sparse(gradient) else values
            for gradient, values in zip(grads, clipped)
        ]

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        # The rows' decay is part of their update.
        super()._apply_weight_decay([each for each in variables if not self._is_lazy(each)])

    def _update_rows(
        self, gradient: tf.IndexedSlices, variable: Any, index: int, learning_rate: Any
    ) -> None:
        """Decays, updates and averages the rows that occur in a gradient."""
        ids, total, first = rows.totals(gradient)
        slots, maxima = self._slots(index), self._maxima(index)
        old = [rows.gather(each, ids) for each in (variable, *slots, *maxima)]
        weights = old[0]
        total = tf.cast(total, weights.dtype)
        learning_rate = tf.cast(learning_rate, weights.dtype)
        if self.weight_decay is not None and self._use_weight_decay(variable):
            weights -= weights * tf.cast(self.weight_decay, weights.dtype) * learning_rate
        new = self._step(total, weights, old[1:], learning_rate)
        for each, before, after in zip((variable, *slots), old, new):
            rows.change(each, ids, before, after, first)
        for each, after in zip(maxima, new[1 + len(slots) :]):
            rows.raise_to(each, ids, after)
        if self.use_ema:
            self._average_rows(self._model_variables_moving_average[index], variable, ids, first)

    def _kept_average(self) -> Any:
        """Returns the factor of the old moving average in this step."""
        return self.ema_momentum

    def _average_rows(
        self, average: Any, variable: Any, ids: tf.Tensor, first: Optional[tf.Tensor]
    ) -> None:
        kept, old = self._kept_average(), rows.gather(average, ids)
        mean = kept * old + (1 - kept) * rows.gather(variable, ids)
        rows.change(average, ids, old, mean, first)

    def _slots(self, index: int) -> list[Any]:
        """Returns the slots of the variable with this index that a step adds to."""
        raise NotImplementedError

    def _maxima(self, index: int) -> list[Any]:
        """Returns the slots that hold the largest value so far."""
        return []

    def _step(
        self,
        gradient: tf.Tensor,
        weights: tf.Tensor,
        slots: Sequence[tf.Tensor],
        learning_rate: tf.Tensor,
    ) -> list[tf.Tensor]:
        """Returns new weights, slots and maxima of rows; see `steps`."""
        raise NotImplementedError


# The constructors are Keras's. They are declared here because editors and the type checker cannot
# see through `KERAS.optimizers`. A default `...` differs between Keras releases.


class AdamRows:
    """The rows' update of Adam and AdamW."""

    iterations: Any
    _momentums: Any
    _velocities: Any
    _velocity_hats: Any
    beta_1: Any
    beta_2: Any
    epsilon: float
    amsgrad: bool

    if TYPE_CHECKING:

        def __init__(
            self,
            learning_rate: Any = 0.001,
            beta_1: float = 0.9,
            beta_2: float = 0.999,
            epsilon: float = 1e-7,
            amsgrad: bool = False,
            weight_decay: Optional[float] = ...,
            clipnorm: Optional[float] = ...,
            clipvalue: Optional[float] = ...,
            global_clipnorm: Optional[float] = ...,
            use_ema: bool = ...,
            ema_momentum: float = ...,
            ema_overwrite_frequency: Optional[int] = ...,
            name: Optional[str] = ...,
            **kwargs: Any,
        ) -> None: ...

    def _slots(self, index: int) -> list[Any]:
        return [self._momentums[index], self._velocities[index]]

    def _maxima(self, index: int) -> list[Any]:
        return [self._velocity_hats[index]] if self.amsgrad else []

    def _step(
        self,
        gradient: tf.Tensor,
        weights: tf.Tensor,
        slots: Sequence[tf.Tensor],
        learning_rate: tf.Tensor,
    ) -> list[tf.Tensor]:
        beta_1, beta_2, step = (
            tf.cast(each, weights.dtype) for each in (self.beta_1, self.beta_2, self.iterations + 1)
        )
        correction = tf.sqrt(1 - tf.pow(beta_2, step))
        adaptive = getattr(self, "adaptive_epsilon", False)
        return steps.adam(
            gradient=gradient,
            weights=weights,
            slots=slots,
            alpha=learning_rate * correction / (1 - tf.pow(beta_1, step)),
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon * correction if adaptive else self.epsilon,
        )


class AdagradRows:
    """The rows' update of Adagrad."""

    _accumulators: Any
    epsilon: float

    if TYPE_CHECKING:

        def __init__(
            self,
            learning_rate: Any = 0.001,
            initial_accumulator_value: float = 0.1,
            epsilon: float = 1e-7,
            weight_decay: Optional[float] = ...,
            clipnorm: Optional[float] = ...,
            clipvalue: Optional[float] = ...,
            global_clipnorm: Optional[float] = ...,
            use_ema: bool = ...,
            ema_momentum: float = ...,
            ema_overwrite_frequency: Optional[int] = ...,
            name: Optional[str] = ...,
            **kwargs: Any,
        ) -> None: ...

    def _slots(self, index: int) -> list[Any]:
        return [self._accumulators[index]]

    def _step(
        self,
        gradient: tf.Tensor,
        weights: tf.Tensor,
        slots: Sequence[tf.Tensor],
        learning_rate: tf.Tensor,
    ) -> list[tf.Tensor]:
        return steps.adagrad(
            gradient=gradient,
            weights=weights,
            slots=slots,
            learning_rate=learning_rate,
            epsilon=self.epsilon,
        )


class SGDRows:
    """The rows' update of SGD."""

    momentum: Any
    momentums: Any
    nesterov: bool

    if TYPE_CHECKING:

        def __init__(
            self,
            learning_rate: Any = 0.01,
            momentum: float = 0.0,
            nesterov: bool = False,
            weight_decay: Optional[float] = ...,
            clipnorm: Optional[float] = ...,
            clipvalue: Optional[float] = ...,
            global_clipnorm: Optional[float] = ...,
            use_ema: bool = ...,
            ema_momentum: float = ...,
            ema_overwrite_frequency: Optional[int] = ...,
            name: Optional[str] = ...,
            **kwargs: Any,
        ) -> None: ...

    def _slots(self, index: int) -> list[Any]:
        # Keras 3 has the slot only with momentum, Keras 2 always.
        return [self.momentums[index]] if self.momentums else []

    def _step(
        self,
        gradient: tf.Tensor,
        weights: tf.Tensor,
        slots: Sequence[tf.Tensor],
        learning_rate: tf.Tensor,
    ) -> list[tf.Tensor]:
        return steps.sgd(
            gradient=gradient,
            weights=weights,
            slots=slots,
            momentum=self.momentum,
            nesterov=self.nesterov,
            learning_rate=learning_rate,
        )
