"""Keras's optimizers for sparse gradients of large tables: they update only the rows that occur.

The cost of a step depends on the rows in the batch, not on the size of the table. Keras itself
updates a variable whose gradient is dense.
"""

from __future__ import annotations

from tf_sampled_compat.keras.family import KERAS, register
from tf_sampled_compat.lazy.choice import lazy_base
from tf_sampled_compat.lazy.optimizer import AdagradRows, AdamRows, SGDRows

__all__ = ["LazyAdagrad", "LazyAdam", "LazyAdamW", "LazySGD"]

_Lazy = lazy_base(KERAS)


@register
class LazyAdam(AdamRows, _Lazy, KERAS.optimizers.Adam):
    """Adam that updates only the rows of a table that occur in its sparse gradient.

    At step t, a row r that occurs, with g the sum of its gradients, becomes

        m[r] = β₁ m[r] + (1 - β₁) g
        v[r] = β₂ v[r] + (1 - β₂) g²
        w[r] = w[r] - lr √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m[r] / (√v[r] + ε)

    where t counts the optimizer's steps, not the row's. A row that does not occur keeps w, m and v
    to the bit. Adam would update it with g = 0: decay m and v, and move w by the rest of m. If all
    rows occur in each step, the two optimizers are equal.

    The slots and their names are Adam's, so each loads the other's checkpoints and saved models.
    Options that Keras applies to the whole variable apply here to the rows that occur:

    - `clipnorm`, `global_clipnorm`, `clipvalue`: clip the rows' sums. Their norm is the norm of the
      dense gradient.
    - `weight_decay`: only the rows that occur decay.
    - `use_ema`: a row's average moves when the row occurs, `a[r] = κ a[r] + (1 - κ) w[r]`. The
      first step, and each `ema_overwrite_frequency`th, copy the whole table.
    - `gradient_accumulation_steps` (Keras 3): each step of a window adds its rows to the
      accumulator. The last step updates all rows of the window. It searches the whole accumulator
      for them after a checkpoint was restored and under XLA. In `strategy.run` it is an error.
    - The finite check of loss scaling reads only the rows (in Keras 2: from 2.15 on; the check in
      2.12 is dense).

    Of asynchronous steps, as under a `ParameterServerStrategy`, each step counts: docs/sharding.md
    says what is exact, and bounds the rest.

    For a sparse gradient, float16 and bfloat16 variables are updated in float32. A constraint
    applies to the whole variable, as in Keras.

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
    """AdamW that updates only the rows of a table that occur in its sparse gradient.

    A row that occurs first decays, w[r] = w[r] - lr λ w[r], then gets `LazyAdam`'s update. A row
    that does not occur does not decay, while AdamW decays every row at each step. For a row that
    occurs in one step of n, λ has 1/n of its effect in AdamW.

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
    """Adagrad that updates only the rows of a table that occur in its sparse gradient.

    A row r that occurs, with g the sum of its gradients, becomes

        a[r] = a[r] + g²
        w[r] = w[r] - lr g / √(a[r] + ε)

    Adagrad changes nothing where g = 0, so the results are Adagrad's. Only weight decay and EMA
    differ, because they apply to the rows that occur; see `LazyAdam`.

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
    """SGD that updates only the rows of a table that occur in its sparse gradient.

    A row r that occurs, with g the sum of its gradients, becomes

        m[r] = μ m[r] - lr g
        w[r] = w[r] + m[r], or with `nesterov` w[r] = w[r] + μ m[r] - lr g

    A row that does not occur keeps w and m to the bit. SGD would update it with g = 0: decay m and
    move w by it. Without momentum the two optimizers are equal.

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
