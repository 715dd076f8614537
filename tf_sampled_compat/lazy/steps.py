"""One step of each optimizer for some rows, by the formulas of the dense optimizer.

A step takes the weights and slots of the rows and returns the new ones, in that order. It reads
and writes no variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def adam(
    *,
    gradient: tf.Tensor,
    weights: tf.Tensor,
    slots: Sequence[tf.Tensor],
    alpha: tf.Tensor,
    beta_1: Any,
    beta_2: Any,
    epsilon: Any,
) -> list[tf.Tensor]:
    """Returns w, m, v, and with AMSGrad h, after a step.

    m += (1 - beta_1) (g - m)
    v += (1 - beta_2) (g² - v)
    h = max(h, v)
    w -= alpha m / (√v + epsilon), or with AMSGrad √h

    Args:
      gradient: `[n, ...]`: each row's total.
      weights: `[n, ...]`.
      slots: m and v, and with AMSGrad h, the largest v so far; each `[n, ...]`.
      alpha: The learning rate times the bias correction, √(1 - beta_2^t) / (1 - beta_1^t).
      beta_1: The decay of m.
      beta_2: The decay of v.
      epsilon: Keeps the quotient finite.
    """
    m, v, *largest = slots
    # Workers that decay one v at the same time can take more than all of it.
    v = tf.maximum(v, tf.zeros_like(v))
    m += (gradient - m) * (1 - beta_1)
    v += (tf.square(gradient) - v) * (1 - beta_2)
    largest = [tf.maximum(each, v) for each in largest]
    scale = largest[0] if largest else v
    return [weights - m * alpha / (tf.sqrt(scale) + epsilon), m, v, *largest]


def adagrad(
    *,
    gradient: tf.Tensor,
    weights: tf.Tensor,
    slots: Sequence[tf.Tensor],
    learning_rate: tf.Tensor,
    epsilon: Any,
) -> list[tf.Tensor]:
    """Returns w and a after a step.

    a += g²
    w -= learning_rate g / √(a + epsilon)

    Args:
      gradient: `[n, ...]`: each row's total.
      weights: `[n, ...]`.
      slots: a, the sum of squares, `[n, ...]`.
      learning_rate: A scalar.
      epsilon: Keeps the quotient finite.
    """
    (a,) = slots
    a += tf.square(gradient)
    return [weights - learning_rate * gradient / tf.sqrt(a + epsilon), a]


def sgd(
    *,
    gradient: tf.Tensor,
    weights: tf.Tensor,
    slots: Sequence[tf.Tensor],
    momentum: Any,
    nesterov: bool,
    learning_rate: tf.Tensor,
) -> list[tf.Tensor]:
    """Returns w, and with momentum m, after a step.

    m = momentum m - learning_rate g
    w += m, or with Nesterov's momentum w += momentum m - learning_rate g

    Args:
      gradient: `[n, ...]`: each row's total.
      weights: `[n, ...]`.
      slots: m, `[n, ...]`; or empty without momentum, when w -= learning_rate g.
      momentum: The decay of m.
      nesterov: Whether to use Nesterov's momentum.
      learning_rate: A scalar.
    """
    step = gradient * learning_rate
    if not slots:
        return [weights - step]
    m = slots[0] * momentum - step
    return [weights + (m * momentum - step if nesterov else m), m]
