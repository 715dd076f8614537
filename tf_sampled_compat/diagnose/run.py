"""Makes a diagnosis: takes a batch, calls the findings one after another, restores the model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Callable, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.diagnose import (
    agreement,
    candidates,
    data,
    labels,
    logits,
    monitors,
    nonfinite,
    probe,
    tables,
    work,
)
from tf_sampled_compat.diagnose.finding import Finding, failed, milliseconds
from tf_sampled_compat.diagnose.probe import Probe
from tf_sampled_compat.diagnose.report import Diagnosis
from tf_sampled_compat.diagnose.stopwatch import Stopwatch
from tf_sampled_compat.diagnose.untouched import Untouched
from tf_sampled_compat.keras_common import private

# In this order: what is cheap and what matters most comes first, in case the time runs out.
EXAMINATIONS: tuple[tuple[str, Callable[[Probe], list[Finding]]], ...] = (
    ("callbacks", monitors.findings),
    ("labels", labels.findings),
    ("NaN", nonfinite.findings),
    ("candidates", candidates.findings),
    ("num_sampled", agreement.findings),
    ("logits", logits.findings),
    ("optimizer", tables.optimizer),
    ("regularizer", tables.regularizers),
)


def diagnose(
    keras: Any,
    model: Any,
    x: Any,
    y: Any,
    *,
    batch_size: int,
    callbacks: Sequence[Any],
    seconds: float,
    stopwatch: Optional[Stopwatch] = None,
) -> Diagnosis:
    """Examines a compiled model; see `tf_sampled_compat.keras.diagnose`.

    Args:
      keras: The Keras of the model.
      model: The model.
      x: Its inputs.
      y: Its labels.
      batch_size: The size of a batch.
      callbacks: The callbacks of `fit`.
      seconds: How long the measurements may take.
      stopwatch: Measures times.
    """
    if not seconds > 0:
        errors.fail("seconds", "a positive number", repr(seconds))
    watch = stopwatch or Stopwatch(seconds)
    with probing(
        keras, model, x, y, batch_size=batch_size, callbacks=callbacks, watch=watch
    ) as seen:
        seen, about = _timed(seen)
        found = [finding for name, examine in EXAMINATIONS for finding in _try(name, examine, seen)]
    found.sort(key=lambda finding: -finding.level)
    return Diagnosis(getattr(model, "name", "model"), about, tuple(found))


@contextlib.contextmanager
def probing(
    keras: Any,
    model: Any,
    x: Any,
    y: Any,
    *,
    batch_size: int,
    callbacks: Sequence[Any],
    watch: Stopwatch,
) -> Iterator[Probe]:
    """A context with a model's probe. At its end the model is as before."""
    probe.check(model, keras)
    taken = data.take(x, y, batch_size, watch)
    if not getattr(model, "built", False):
        _build(model, taken.x)
    with Untouched(private.all_layers(model), _small_state(model)) as untouched:
        outputs = probe.outputs_of(model, taken, untouched)
        yield Probe(model, keras, taken, outputs, list(callbacks), watch, untouched)


def _build(model: Any, x: Any) -> None:
    """Makes the weights, as `fit` would, by a call with one example."""
    model(tf.nest.map_structure(lambda array: tf.convert_to_tensor(array[:1]), x), training=False)


def _small_state(model: Any) -> list[Any]:
    """Returns the variables that a forward pass, a metric or a sampler may change."""
    optimizer = getattr(model, "optimizer", None)
    state = [*model.non_trainable_variables, getattr(optimizer, "iterations", None)]
    for metric in getattr(model, "metrics", ()):
        state += metric.variables
    for loss in tf.nest.flatten(getattr(model, "loss", None)):
        state += getattr(getattr(loss, "sampler", None), "variables", ())
    return [variable for variable in state if variable is not None]


def _timed(seen: Probe) -> tuple[Probe, str]:
    heads = [output for output in seen.outputs if output.head is not None]
    classes = " and ".join(f"{output.head.num_classes:,}" for output in heads) or "no"
    about = f"{classes} classes in a SampledDense, a batch of {seen.data.batch_size}"
    try:
        took = _step_seconds(seen)
    except Exception:  # The examinations say what is wrong.
        return seen, f"{about}, a step could not be measured"
    return seen._replace(step_seconds=took), f"{about}, a step without update {milliseconds(took)}"


def _step_seconds(seen: Probe) -> float:
    """Measures a step without its update, on a part of the batch if a loss reads many logits."""
    part, few = work.part(seen) if work.reads_logits(seen) else (seen, seen.examples)
    seen.watch.check()
    took = seen.watch.time("step", seen.untouched.trace(probe.step_of(part)))
    if few in (seen.examples, 1):
        return took * seen.examples / few
    half = seen.first(few // 2)
    less = seen.watch.time("step of half", seen.untouched.trace(probe.step_of(half)))
    return took + max(took - less, 0.0) / (few - few // 2) * (seen.examples - few)


def _try(name: str, examine: Callable[[Probe], list[Finding]], seen: Probe) -> list[Finding]:
    """Examines; an examination that fails is a finding too, and the others go on."""
    try:
        return examine(seen)
    except Exception as error:
        return [failed(name, error)]
