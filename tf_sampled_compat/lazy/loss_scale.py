"""The finite check of Keras 3's loss scaling, on the rows of a sparse gradient."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_sampled_compat.lazy import rows


class _SparseCheck:
    """Checks that all gradients are finite, without making a sparse one dense.

    Args:
      check: `check_finite` of a `keras.optimizers.LossScaleOptimizer`.
    """

    def __init__(self, check: Any):
        self._check = check

    def __call__(self, grads: Sequence[Any]) -> tf.Tensor:
        """Returns whether all gradients are finite. Of a sparse one, it checks only the rows."""
        return self._check(
            [gradient.values if rows.is_sparse(gradient) else gradient for gradient in grads]
        )


def adopt_wrapper(optimizer: Any, depth: int) -> None:
    """Gives a sparse finite check to the `LossScaleOptimizer` that is now wrapping an optimizer.

    `LossScaleOptimizer.check_finite` makes each gradient dense. Three other ways do not work:

    - A subclass: under mixed_float16, `compile` constructs Keras's class by name.
    - An optimizer of our own around it: saved models would contain another object.
    - Replacing the method in Keras's class: it would change for every optimizer.

    The wrapper's constructor has one contact with the inner optimizer: it sets
    `loss_scale_factor` to None. So the wrapper is the `self` of the frame that sets it.

    Args:
      optimizer: The optimizer that is being wrapped.
      depth: The number of frames from this function's caller up to the one that sets the attribute.
    """
    wrapper: Any = sys._getframe(depth + 1).f_locals.get("self")
    check = getattr(wrapper, "check_finite", None)
    if check is not None and getattr(wrapper, "inner_optimizer", None) is optimizer:
        wrapper.check_finite = _SparseCheck(check)
