"""Tells what is wrong with a model over many classes, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from tf_sampled_compat.diagnose import run
from tf_sampled_compat.diagnose.report import Diagnosis
from tf_sampled_compat.tf_keras.family import KERAS

__all__ = ["diagnose"]


def diagnose(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    batch_size: int = 32,
    callbacks: Sequence[Any] = (),
    seconds: float = 10.0,
    verbose: int = 1,
    log_dir: Optional[str] = None,
) -> Diagnosis:
    """Examines a compiled model on a batch, and prints one page of findings.

    See `tf_sampled_compat.keras.diagnose`, which has the same arguments.

    >>> model = tf_keras.Sequential([tf_keras.Input([4]), tsc.tf_keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.tf_keras.losses.SampledSoftmax(num_sampled=64))
    >>> report = tsc.tf_keras.diagnose(model, np.ones([256, 4]), np.arange(256), verbose=0)
    >>> report["NaN"].severity
    'ok'

    Source: `tf_sampled_compat.keras.diagnose`.
    """
    report = run.diagnose(
        KERAS, model, x, y, batch_size=batch_size, callbacks=callbacks, seconds=seconds
    )
    report.show(verbose, log_dir)
    return report
