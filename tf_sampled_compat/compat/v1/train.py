"""Mirrors what `tf.contrib.opt` of TensorFlow 1.x had for `tf.compat.v1.train`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.lazy import rows, steps

__all__ = ["LazyAdamOptimizer"]


class LazyAdamOptimizer(tf.compat.v1.train.AdamOptimizer):
    """Adam that, of a variable with a sparse gradient, touches only the rows that occur.

    At step t a row r that occurs, with the sum g of its gradients, gets

        m[r] = β₁ m[r] + (1 - β₁) g
        v[r] = β₂ v[r] + (1 - β₂) g²
        w[r] = w[r] - lr √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m[r] / (√v[r] + ε)

    where t counts the optimizer's steps, not the row's. A row that does not occur keeps w, m and v
    to the bit; `AdamOptimizer` would go on with g = 0. Slots and names are `AdamOptimizer`'s, so
    the checkpoints of one load into the other. A dense gradient gets `AdamOptimizer`'s own update.

    Args:
      learning_rate: A number or a scalar tensor.
      beta1: How much of m stays.
      beta2: How much of v stays.
      epsilon: What keeps the quotient finite.
      use_locking: Whether a ref variable locks while it is updated.
      name: A name for the operations.

    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     table = tf.compat.v1.get_variable("table", initializer=tf.ones([5, 2]))
    ...     loss = tf.reduce_sum(tf.gather(table, [3, 3]))
    ...     step = tsc.compat.v1.train.LazyAdamOptimizer(0.1).minimize(loss)
    ...     _ = session.run(tf.compat.v1.global_variables_initializer())
    ...     _ = session.run(step)
    ...     print([round(float(row), 3) for row in session.run(table)[:, 0]])
    [1.0, 1.0, 1.0, 0.9, 1.0]

    Source: `tf.contrib.opt.LazyAdamOptimizer` of TensorFlow 1.15.
    """

    def __init__(
        self,
        learning_rate: TensorLike = 0.001,
        beta1: TensorLike = 0.9,
        beta2: TensorLike = 0.999,
        epsilon: TensorLike = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    # The base class has summed the duplicates when it calls these.
    def _apply_sparse(self, grad: tf.IndexedSlices, var: Any) -> Any:
        return self._update_rows(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: tf.Tensor, var: Any, indices: tf.Tensor) -> Any:
        return self._update_rows(grad, var, indices)

    def _update_rows(self, gradient: tf.Tensor, variable: Any, ids: tf.Tensor) -> Any:
        variables = [variable, self.get_slot(variable, "m"), self.get_slot(variable, "v")]
        old = [rows.gather(each, ids) for each in variables]
        weights = old[0]
        beta_1, beta_2, beta_1_power, beta_2_power, learning_rate, epsilon = (
            tf.cast(each, weights.dtype)
            for each in (
                self._beta1_t,
                self._beta2_t,
                *self._get_beta_accumulators(),
                self._lr_t,
                self._epsilon_t,
            )
        )
        new = steps.adam(
            gradient=tf.cast(gradient, weights.dtype),
            weights=weights,
            slots=old[1:],
            alpha=learning_rate * tf.sqrt(1 - beta_2_power) / (1 - beta_1_power),
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
        )
        return tf.group(
            *[
                rows.change(each, ids, before, after, use_locking=self._use_locking)
                for each, before, after in zip(variables, old, new)
            ]
        )
