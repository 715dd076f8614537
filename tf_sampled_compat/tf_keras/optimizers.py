"""tf_keras's optimizers for sparse gradients of large tables; see `keras.optimizers`.

tf_keras has no `gradient_accumulation_steps`.
"""

from __future__ import annotations

from tf_sampled_compat.lazy.choice import lazy_base
from tf_sampled_compat.lazy.optimizer import AdagradRows, AdamRows, SGDRows
from tf_sampled_compat.tf_keras.family import KERAS, register

__all__ = ["LazyAdagrad", "LazyAdam", "LazyAdamW", "LazySGD"]

_Lazy = lazy_base(KERAS)


@register
class LazyAdam(AdamRows, _Lazy, KERAS.optimizers.Adam):
    """Adam that updates only the rows of a table that occur in its sparse gradient.

    See `tf_sampled_compat.keras.optimizers.LazyAdam` for the formula and the meaning of "lazy".

    Args:
      As `tf_keras.optimizers.Adam`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.tf_keras.optimizers.LazyAdam(learning_rate=0.1)
    >>> gradient = tf.IndexedSlices(tf.ones([2, 2]), [3, 3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.9, 1.0]

    Source: `tf_keras.optimizers.Adam` and `tf.contrib.opt.LazyAdamOptimizer` of TensorFlow 1.15.
    """


@register
class LazyAdamW(AdamRows, _Lazy, KERAS.optimizers.AdamW):
    """AdamW that updates only the rows of a table that occur in its sparse gradient.

    See `tf_sampled_compat.keras.optimizers.LazyAdamW`: a row that does not occur does not decay.

    Args:
      As `tf_keras.optimizers.AdamW`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.tf_keras.optimizers.LazyAdamW(learning_rate=0.1, weight_decay=0.5)
    >>> gradient = tf.IndexedSlices(tf.zeros([1, 2]), [3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.95, 1.0]

    Source: `tf_keras.optimizers.AdamW`.
    """


@register
class LazyAdagrad(AdagradRows, _Lazy, KERAS.optimizers.Adagrad):
    """Adagrad that updates only the rows of a table that occur in its sparse gradient.

    See `tf_sampled_compat.keras.optimizers.LazyAdagrad`.

    Args:
      As `tf_keras.optimizers.Adagrad`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.tf_keras.optimizers.LazyAdagrad(0.1, initial_accumulator_value=0.0)
    >>> gradient = tf.IndexedSlices(tf.ones([2, 2]), [3, 3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.9, 1.0]

    Source: `tf_keras.optimizers.Adagrad`.
    """


@register
class LazySGD(SGDRows, _Lazy, KERAS.optimizers.SGD):
    """SGD that updates only the rows of a table that occur in its sparse gradient.

    See `tf_sampled_compat.keras.optimizers.LazySGD`.

    Args:
      As `tf_keras.optimizers.SGD`.

    >>> table = tf.Variable(tf.ones([5, 2]))
    >>> optimizer = tsc.tf_keras.optimizers.LazySGD(learning_rate=0.1, momentum=0.9)
    >>> gradient = tf.IndexedSlices(tf.ones([2, 2]), [3, 3], [5, 2])
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> [round(float(row), 3) for row in table[:, 0]]
    [1.0, 1.0, 1.0, 0.8, 1.0]

    Source: `tf_keras.optimizers.SGD`.
    """
