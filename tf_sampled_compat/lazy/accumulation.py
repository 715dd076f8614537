"""Accumulates sparse gradients over a window of steps, and updates only the rows that occurred."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.tf import private
from tf_sampled_compat.lazy import rows
from tf_sampled_compat.lazy.rows import Rows


class Window:
    """An accumulator of gradients, with the ids of its rows that may differ from zero.

    The ids are not saved, because a checkpoint holds only the state of Keras's own optimizer. If
    some steps of the window are unknown, as after a restore, the whole accumulator is searched. The
    same happens where shapes must be static.
    """

    def __init__(self, slot: Any, steps: int):
        self._slot, self._num_before = slot, steps - 1
        # The ids so far, the window's first step, and the number of steps; made when first needed.
        self._state: Optional[tuple[tf.Variable, tf.Variable, tf.Variable]] = None
        # The rows in use, found by the window's last step, which clears them after its update.
        self._used: Optional[tf.Tensor] = None

    def add(self, gradient: Rows, step: tf.Tensor) -> None:
        """Adds a gradient to the accumulator, in any step of a window but the last."""
        variable = self._accumulator
        variable.scatter_add(
            tf.IndexedSlices(tf.cast(gradient.values, variable.dtype), gradient.indices)
        )
        if rows.shapes_are_static():
            return
        ids, first, num_seen = self._variables()
        goes_on = tf.equal(first + num_seen, step)
        kept = tf.cond(goes_on, ids.read_value, lambda: tf.zeros([0], tf.int64))
        num_seen.assign(tf.where(goes_on, num_seen + 1, 1))
        first.assign(tf.where(goes_on, first, step))
        ids.assign(tf.concat([kept, tf.cast(gradient.indices, tf.int64)], 0))

    def total(self, gradient: Rows, step: tf.Tensor) -> Rows:
        """Returns the sum of the accumulator and `gradient`, the last one of its window."""
        variable = self._accumulator
        if rows.shapes_are_static():
            # Unused rows are zero, so they are added to an id that is here anyway.
            ids, here = tf.range(variable.shape[0]), tf.reduce_max(gradient.indices)
            ids = tf.where(self._is_used(), tf.cast(ids, here.dtype), here)
            values, self._used = tf.convert_to_tensor(variable), None
        else:
            ids, first, num_seen = self._variables()
            has_seen_all = tf.equal(num_seen, self._num_before) & tf.equal(first + num_seen, step)
            self._used = tf.cond(has_seen_all, lambda: tf.unique(ids)[0], self._search)
            ids, values = self._used, tf.gather(variable, self._used)
        return rows.unique(
            tf.IndexedSlices(
                tf.concat([gradient.values, tf.cast(values, gradient.values.dtype)], 0),
                tf.concat([gradient.indices, tf.cast(ids, gradient.indices.dtype)], 0),
                gradient.dense_shape,
            )
        )

    def clear(self) -> None:
        """Resets the accumulator to zero."""
        variable = self._accumulator
        if self._used is None:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        else:
            rows.clear(variable, self._used)

    @property
    def _accumulator(self) -> Any:
        return private.unwrap_variable(self._slot)

    def _variables(self) -> tuple[tf.Variable, tf.Variable, tf.Variable]:
        if self._state is None:
            with tf.init_scope():
                self._state = (
                    tf.Variable(tf.zeros([0], tf.int64), shape=[None], trainable=False),
                    tf.Variable(-1, dtype=tf.int64, trainable=False),
                    tf.Variable(0, dtype=tf.int64, trainable=False),
                )
        return self._state

    def _is_used(self) -> tf.Tensor:
        axes = list(range(1, self._accumulator.shape.rank))
        return tf.reduce_any(tf.not_equal(self._accumulator, 0), axis=axes)

    def _search(self) -> tf.Tensor:
        return tf.where(self._is_used())[:, 0]


class Windows:
    """The window of each accumulator; a plain object, so Keras and checkpoints ignore it."""

    def __init__(self, steps: int):
        self._steps = steps
        self._windows: dict[int, Window] = {}

    def of(self, slot: Any) -> Window:
        """Returns an accumulator's window."""
        return self._windows.setdefault(id(slot), Window(slot, self._steps))
