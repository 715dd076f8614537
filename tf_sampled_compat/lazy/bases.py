# ruff: noqa: D102 - Keras documents these methods.
"""Declares for the type checker what the lazy optimizers use of a Keras optimizer.

A lazy optimizer has the classes of this folder and a Keras optimizer as its bases. At run time the
base here is `object`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:

    class Optimizer:
        """`keras.optimizers.Optimizer`, of Keras 2 or 3."""

        built: bool
        iterations: Any
        learning_rate: Any
        weight_decay: Any
        use_ema: bool
        ema_momentum: float
        ema_overwrite_frequency: Any
        gradient_accumulation_steps: Any
        _accumulated_gradients: Any
        _distribution_strategy: Any
        _index_dict: Any
        _iterations: Any
        _model_variables_moving_average: Any
        _trainable_variables: Any

        def apply(self, grads: Any, trainable_variables: Any = None) -> None: ...
        def apply_gradients(self, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any: ...
        def build(self, variables: Any, /) -> None: ...

        # Keras 3 passes the learning rate too.
        update_step: Callable[..., None]

        def _apply_weight_decay(self, variables: Any) -> None: ...
        def _backend_apply_gradients(self, grads: Any, trainable_variables: Any) -> None: ...
        def _backend_increment_gradient_accumulators(self, grads: Any, acc_grads: Any) -> None: ...
        def _backend_update_step(self, grads: Any, variables: Any, learning_rate: Any) -> None: ...
        def _clip_gradients(self, grads: Any) -> Any: ...
        def _get_variable_index(self, variable: Any) -> int: ...
        def _overwrite_model_variables_with_average_value(self, variables: Any) -> None: ...
        def _update_model_variables_moving_average(self, variables: Any, /) -> None: ...
        def _use_weight_decay(self, variable: Any) -> bool: ...
        def _var_key(self, variable: Any) -> Any: ...

else:
    Optimizer = object
