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
        """Returns whether all gradients are finite; of a sparse one it looks at the rows."""
        return self._check(
            [gradient.values if rows.is_sparse(gradient) else gradient for gradient in grads]
        )


def adopt_wrapper(optimizer: Any, depth: int) -> None:
    """Gives the `LossScaleOptimizer` that is now wrapping an optimizer a sparse finite check.

    `LossScaleOptimizer.check_finite` makes each gradient dense. Under mixed_float16 `compile`
    constructs that class itself, by name, so it would not pick up a subclass of ours; an optimizer
    of our own around a `LossScaleOptimizer` would be another object in saved models; and to replace
    the method in Keras's class would change it for every optimizer. The wrapper calls no method of
    what it wraps before the check, and does not pass itself on: while it is constructed it only
    sets `loss_scale_factor` to None. So the wrapper is found as the `self` of the frame that does.

    Args:
      optimizer: The optimizer that is being wrapped.
      depth: How many frames above this function's caller the attribute is set.
    """
    wrapper: Any = sys._getframe(depth + 1).f_locals.get("self")
    check = getattr(wrapper, "check_finite", None)
    if check is not None and getattr(wrapper, "inner_optimizer", None) is optimizer:
        wrapper.check_finite = _SparseCheck(check)
