"""Initializers, regularizers and constraints see a kernel as `Dense` does: `[dim, classes]`.

The head stores it as `[classes, dim]`, so that the rows of a batch can be looked up.
"""

from __future__ import annotations

from typing import Any, Callable

import tensorflow as tf

# Keras's classes whose result is the same for a transposed kernel. They need no copy of the table.
_SAME = {
    "initializers": ("Zeros", "Ones"),
    "regularizers": ("L1", "L2", "L1L2"),
    "constraints": ("NonNeg",),
}


def initializer(own: Callable[..., Any], keras: Any) -> Callable[..., Any]:
    """Returns what draws a stored kernel: the transpose of the kernel that `own` draws."""
    return own if _is_same(own, keras, "initializers") else _Initializer(own)


def regularizer(own: Any, keras: Any) -> Any:
    """Returns the regularizer of a stored kernel, or None if `own` is."""
    return own if own is None or _is_same(own, keras, "regularizers") else _Regularizer(own)


def constraint(own: Any, keras: Any) -> Any:
    """Returns the constraint of a stored kernel, or None if `own` is."""
    return own if own is None or _is_same(own, keras, "constraints") else _Constraint(own)


def _is_same(own: Any, keras: Any, kind: str) -> bool:
    """Whether `own` is one of Keras's classes in `_SAME`; a subclass may do anything."""
    return any(type(own) is getattr(getattr(keras, kind), name) for name in _SAME[kind])


class _Transposed:
    def __init__(self, own: Callable[..., Any]):
        self._own = own


class _Initializer(_Transposed):
    def __call__(self, shape: Any, dtype: Any = None) -> tf.Tensor:
        return tf.transpose(tf.convert_to_tensor(self._own(tuple(shape)[::-1], dtype=dtype)))


class _Regularizer(_Transposed):
    def __call__(self, kernel: Any) -> Any:
        return self._own(tf.transpose(tf.convert_to_tensor(kernel)))


class _Constraint(_Transposed):
    def __call__(self, kernel: Any) -> tf.Tensor:
        constrained = self._own(tf.transpose(tf.convert_to_tensor(kernel)))
        return tf.transpose(tf.convert_to_tensor(constrained))
