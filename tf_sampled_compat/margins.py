"""Margins: functions that make the cosine of a true class smaller in training, for face-like tasks.

They are the `margin` of a loss with `normalize=True`. Any differentiable function of the
`[batch_size, num_true]` cosines may stand in their place.

>>> loss = tsc.nn.sampled_softmax_loss(
...     tf.eye(50, 8), tf.zeros([50]), labels=[[3], [7]], inputs=tf.ones([2, 8]), num_sampled=5,
...     num_classes=50, normalize=True, temperature=1 / 64, margin=tsc.margins.ArcFace(0.5))
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors

__all__ = ["ArcFace", "CosFace"]


class _Margin:
    """A margin with a size m."""

    _LIMIT = math.inf

    def __init__(self, m: float):
        expected = "a number >= 0" if self._LIMIT == math.inf else f"radians in [0, {math.pi:.5f}]"
        if isinstance(m, bool) or not isinstance(m, (int, float)):
            errors.fail("m", expected, repr(m), errors.ArgumentTypeError)
        if not (0 <= m <= self._LIMIT and math.isfinite(m)):
            errors.fail("m", expected, m)
        self.m = float(m)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same margin again."""
        return {"m": self.m}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> _Margin:
        """Makes a margin from the result of `get_config`."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), self.m))

    def __repr__(self) -> str:
        return f"tsc.margins.{type(self).__name__}({self.m:g})"


class ArcFace(_Margin):
    r"""Adds an angle to the angle between an input and its true class.

    .. math::
        \cos\theta \to \begin{cases} \cos(\theta + m) & \theta \le \pi - m \\
            \cos\theta - m \sin m & \text{otherwise} \end{cases}

    The second case keeps the function falling where the first would rise again.

    >>> print(tsc.margins.ArcFace(0.5)(tf.constant([1.0, 0.0])).numpy().round(3))
    [ 0.877 -0.479]

    Args:
      m: The angle in radians, in [0, π].

    Raises:
      ValueError: For another `m`.

    Source: Deng et al., 2018, arXiv:1801.07698, and the authors' code for the second case.
    """

    _LIMIT = math.pi

    def __call__(self, cosines: tf.Tensor) -> tf.Tensor:
        """Returns the cosines with the margin. The angle is of cosines within ±(1 - 1e-7)."""
        cosines = tf.convert_to_tensor(cosines)
        most = 1 - 1e-7
        angle = tf.acos(tf.clip_by_value(cosines, -most, most))
        return tf.where(
            angle <= math.pi - self.m,
            tf.cos(angle + self.m),
            cosines - self.m * math.sin(self.m),
        )


class CosFace(_Margin):
    r"""Subtracts a constant from the cosine of a true class: :math:`\cos\theta - m`.

    >>> print(tsc.margins.CosFace(0.35)(tf.constant([1.0, 0.0])).numpy())
    [ 0.65 -0.35]

    Args:
      m: The constant, >= 0.

    Raises:
      ValueError: For another `m`.

    Source: Wang et al., 2018, arXiv:1801.09414.
    """

    def __call__(self, cosines: tf.Tensor) -> tf.Tensor:
        """Returns the cosines less m."""
        return tf.convert_to_tensor(cosines) - self.m
