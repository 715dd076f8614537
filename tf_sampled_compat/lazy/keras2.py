"""The part of the lazy optimizers for Keras 2 only: tf_keras, and tf.keras up to TF 2.15."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf_sampled_compat.lazy import mistakes, rows
from tf_sampled_compat.lazy.optimizer import Lazy


class LazyKeras2(Lazy):
    """Binds `Lazy` to the methods of a Keras 2 optimizer."""

    def apply_gradients(self, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies gradients to variables, as Keras's method of this name does."""
        grads_and_vars = list(grads_and_vars)
        gradients = [gradient for gradient, _ in grads_and_vars]
        variables = [variable for _, variable in grads_and_vars]
        mistakes.refuse_whole(variables)
        self._note_sparse(gradients, variables)
        with mistakes.explained(None):
            return super().apply_gradients(grads_and_vars, *args, **kwargs)

    def build(self, var_list: Any) -> None:
        """Makes the slots, as Keras's method of this name does."""
        var_list = list(var_list)
        mistakes.refuse_whole(var_list)
        mistakes.refuse_unnamed(var_list)
        super().build(var_list)

    def _deduplicate_sparse_grad(self, grads: Sequence[Any]) -> list[Any]:
        return [rows.unique(gradient) for gradient in grads]

    def update_step(self, gradient: Any, variable: Any) -> None:
        """Updates a variable, as Keras's method of this name does."""
        if not rows.is_sparse(gradient):
            super().update_step(gradient, variable)
            return
        index = self._index_dict[self._var_key(variable)]
        self._update_rows(gradient, variable, index, self.learning_rate)

    def _update_model_variables_moving_average(self, var_list: Sequence[Any]) -> None:
        # The rows of a lazy variable were averaged together with their update.
        def update(average: Any, variable: Any) -> None:
            kept = self.ema_momentum
            average.assign(kept * average + (1 - kept) * variable)

        for variable in var_list:
            if self.use_ema and not self._is_lazy(variable):
                index = self._index_dict[self._var_key(variable)]
                self._distribution_strategy.extended.update(
                    self._model_variables_moving_average[index], update, args=(variable,)
                )
