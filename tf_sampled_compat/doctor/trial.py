"""Compares a small loss by both implementations: a binary may load and still be wrong."""

from __future__ import annotations

from typing import Callable, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.backends.choice import FUSED_DTYPES
from tf_sampled_compat.core.backends.setting import implementation
from tf_sampled_compat.nn import nce_loss, sampled_softmax_loss

# Relative to the largest value. Both compute in float32 or float64 and round to the dtype.
_ALLOWED = {"float32": 1e-5, "float64": 1e-12, "float16": 2e-3, "bfloat16": 1.6e-2}
_CLASSES, _DIM, _BATCH, _SAMPLED = 100, 24, 16, 40


def difference() -> Optional[str]:
    """Returns how the op fails or where its results differ from the composite's; else None."""
    for loss in (sampled_softmax_loss, nce_loss):
        for dtype in FUSED_DTYPES:
            try:
                fused, composite = (_run(loss, dtype, how) for how in ("fused", "composite"))
            except Exception as error:  # The doctor reports any failure.
                return f"{loss.__name__} fails in {dtype}: {error}"
            allowed = _ALLOWED[dtype]
            for name, got, want in zip(("the loss", "a gradient", "a gradient"), fused, composite):
                if not np.abs(got - want).max() <= allowed * np.abs(want).max():
                    return f"{loss.__name__} in {dtype}: {name} differs from the composite's"
    return None


def _run(loss: Callable[..., tf.Tensor], dtype: str, how: str) -> list[np.ndarray]:
    numbers = np.random.RandomState(0)
    labels = numbers.randint(0, _CLASSES, [_BATCH, 1])
    sampled = numbers.permutation(_CLASSES)[:_SAMPLED]
    values = (sampled, np.full([_BATCH, 1], 0.1, "f"), np.full(_SAMPLED, 0.1, "f"))
    with implementation(how), tf.device("CPU:0"), tf.GradientTape() as tape:
        weights, inputs = (
            tf.constant(numbers.randn(rows, _DIM), dtype) for rows in (_CLASSES, _BATCH)
        )
        tape.watch([weights, inputs])
        value = loss(
            weights,
            tf.zeros([_CLASSES], dtype),
            labels,
            inputs,
            _SAMPLED,
            _CLASSES,
            sampled_values=values,
            remove_accidental_hits=True,
        )
        gradients = tape.gradient(value, [weights, inputs])
        return [tf.cast(tf.convert_to_tensor(t), tf.float64).numpy() for t in (value, *gradients)]
