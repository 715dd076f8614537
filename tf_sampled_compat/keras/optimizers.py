"""Keras's optimizers for sparse gradients of large tables: they touch only the rows that occur.

A step costs what the rows cost that occur in its batch, whatever the size of the table. A variable
whose gradient is dense is updated by Keras itself.
"""

from __future__ import annotations

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.lazy.choice import lazy_base
from tf_sampled_compat.lazy.optimizer import AdagradRows, AdamRows, SGDRows

__all__ = ["LazyAdagrad", "LazyAdam", "LazyAdamW", "LazySGD"]

_Lazy = lazy_base(KERAS)


@register
class LazyAdam(AdamRows, _Lazy, KERAS.optimizers.Adam):
    """Adam that, of a table with a sparse gradient, touches only the rows that occur.

    At step t a row r that occurs, with the sum g of its gradients, gets

        m[r] = β₁ m[r] + (1 - β₁) g
        v[r] = β₂ v[r] + (1 - β₂) g²
        w[r] = w[r] - lr √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m[r] / (√v[r] + ε)

    where t counts the optimizer's steps, not the row's. A row that does not occur keeps w, m and v
    to the bit; Adam would go on with g = 0: decay m and v, and move w by what is left of m. Where
    all rows occur in each step the two are equal.

    Slots and their names are Adam's, so the checkpoints and saved models of one load into the
    other. What Keras does to all of a variable is here done to the rows that occur:

    - `clipnorm`, `global_clipnorm`, `clipvalue`: the rows' sums are clipped, and their norm is that
      of the dense gradient.
    - `weight_decay`: only the rows that occur decay.
    - `use_ema`: a row's average moves when the row occurs, `a[r] = κ a[r] + (1 - κ) w[r]`. The
      first step of all, and each `ema_overwrite_frequency`th, copy the whole table once.
    - `gradient_accumulation_steps` (Keras 3): a window's steps add their rows to the accumulator,
      the last updates the rows of all. It looks through the whole accumulator for them after a
      checkpoint was restored, under XLA, and under a distribution strategy.
    - A finite check of loss scaling looks at the rows only (in Keras 2: seen from 2.15 on, while
      2.12's own check is dense).

    float16 and bfloat16 variables are computed in float32 where the gradient is sparse. A
    constraint applies to the whole variable, as it does in Keras.

    Args:
      As `keras.optimizers.Adam`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.keras.optimizers.LazyAdam(learning_rate=0.1)
    >>> gradient = tf.IndexedSlices(tf.ones([2, 2]), [3, 3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.9, 1.0]

    Source: `keras.optimizers.Adam` and `tf.contrib.opt.LazyAdamOptimizer` of TensorFlow 1.15.
    """


@register
class LazyAdamW(AdamRows, _Lazy, KERAS.optimizers.AdamW):
    """AdamW that, of a table with a sparse gradient, touches only the rows that occur.

    A row that occurs first decays, w[r] = w[r] - lr λ w[r], then gets `LazyAdam`'s update. A row
    that does not occur does not decay, while AdamW decays each row at each step: for a row that
    occurs in one step of n, λ here has an n-th of its effect.

    Args:
      As `keras.optimizers.AdamW`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.keras.optimizers.LazyAdamW(learning_rate=0.1, weight_decay=0.5)
    >>> gradient = tf.IndexedSlices(tf.zeros([1, 2]), [3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.95, 1.0]

    Source: `keras.optimizers.AdamW`; for the rest see `LazyAdam`.
    """


@register
class LazyAdagrad(AdagradRows, _Lazy, KERAS.optimizers.Adagrad):
    """Adagrad that, of a table with a sparse gradient, touches only the rows that occur.

    A row r that occurs, with the sum g of its gradients, gets

        a[r] = a[r] + g²
        w[r] = w[r] - lr g / √(a[r] + ε)

    With g = 0 nothing changes, so this is Adagrad itself, for the price of the rows; but see
    `LazyAdam` on weight decay and EMA, which happen to the rows that occur only.

    Args:
      As `keras.optimizers.Adagrad`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.keras.optimizers.LazyAdagrad(0.1, initial_accumulator_value=0.0)
    >>> gradient = tf.IndexedSlices(tf.ones([2, 2]), [3, 3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.9, 1.0]

    Source: `keras.optimizers.Adagrad`; for the rest see `LazyAdam`.
    """


@register
class LazySGD(SGDRows, _Lazy, KERAS.optimizers.SGD):
    """SGD that, of a table with a sparse gradient, touches only the rows that occur.

    A row r that occurs, with the sum g of its gradients, gets

        m[r] = μ m[r] - lr g
        w[r] = w[r] + m[r], or with `nesterov` w[r] = w[r] + μ m[r] - lr g

    A row that does not occur keeps w and m to the bit; SGD would go on with g = 0: decay m and move
    w by it. Without momentum the two are equal.

    Args:
      As `keras.optimizers.SGD`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.keras.optimizers.LazySGD(learning_rate=0.1, momentum=0.9)
    >>> gradient = tf.IndexedSlices(tf.ones([2, 2]), [3, 3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.8, 1.0]

    Source: `keras.optimizers.SGD`; for the rest see `LazyAdam`.
    """
