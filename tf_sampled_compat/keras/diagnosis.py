"""Tells what is wrong with a model over many classes, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from tf_sampled_compat.diagnose import run
from tf_sampled_compat.diagnose.report import Diagnosis
from tf_sampled_compat.keras.family import KERAS

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

    Each finding has what was seen with its numbers, the measured cost, and the way out:

    - logits: a metric or loss that makes each step compute the logits of all classes;
    - optimizer, regularizer: what walks a whole table at each step;
    - labels, law: labels that overflow their dtype or are out of range, or that a log-uniform
      sampler does not fit;
    - num_sampled: the sampled loss and the gradient of the head's inputs beside the exact ones;
    - accidental hits, repetitions, coverage: what the candidates hold;
    - callbacks: those that monitor a metric which `fit` never updates;
    - NaN: where the first NaN or infinite number came from.

    It changes nothing: weights, slots, counts of samplers, seeds and metrics are as before. Costs
    are measured on copies, those of large tables on a part of them. (Weights that do not exist yet
    are made, as `fit` makes them. A `tf.data.Dataset` is iterated, which moves on a shuffle that
    changes from epoch to epoch.)

    >>> model = keras.Sequential([keras.Input([4]), tsc.keras.layers.SampledDense(1000)])
    >>> model.compile("sgd", tsc.keras.losses.SampledSoftmax(num_sampled=64))
    >>> report = tsc.keras.diagnose(model, np.ones([256, 4]), np.arange(256), verbose=0)
    >>> report["NaN"].severity
    'ok'

    Args:
      model: A compiled model.
      x: The inputs, as for `fit`: arrays, a `tf.data.Dataset` or a sequence of batches, but no
        generator.
      y: The labels, if x does not hold them.
      batch_size: The size of a batch, if x is no dataset.
      callbacks: The callbacks that `fit` will get.
      seconds: How long the measurements may take. What is left out then says so.
      verbose: 0 prints nothing.
      log_dir: Where to write the numbers as scalars for TensorBoard.

    Returns:
      A report. `str(report)` is the page, `report.to_dict()` all of it, `report["optimizer"]` one
      finding, `report.severity` the worst severity, and `report.write_summary(step)` writes
      scalars with the default writer of `tf.summary`.

    Raises:
      ValueError: If the model is not compiled, or x is a generator.

    Source: the costs that `python -m tf_sampled_compat bench` measures.
    """
    report = run.diagnose(
        KERAS, model, x, y, batch_size=batch_size, callbacks=callbacks, seconds=seconds
    )
    report.show(verbose, log_dir)
    return report
