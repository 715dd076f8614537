"""What walks a whole table at each step: the optimizer, a regularizer, a constraint."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf

from tf_sampled_compat.diagnose import compiled, work
from tf_sampled_compat.diagnose.finding import Finding, milliseconds
from tf_sampled_compat.diagnose.probe import Probe
from tf_sampled_compat.diagnose.stopwatch import OutOfTime
from tf_sampled_compat.keras_common import private

# A smaller table costs nothing that would be noticed.
_FEWEST_ROWS = 2**14
# A walk that takes this share of a step is worth a warning.
_MUCH = 0.2
_LAZY = {"adam": "LazyAdam", "adamw": "LazyAdamW", "adagrad": "LazyAdagrad", "sgd": "LazySGD"}


class _Large(NamedTuple):
    """A table, the layer that owns it, and its attribute there."""

    layer: Any
    attribute: str
    variable: Any

    @property
    def name(self) -> str:
        return f"{self.layer.name}.{self.attribute} {list(self.variable.shape)}"


def optimizer(probe: Probe) -> list[Finding]:
    """Examines whether an update walks the tables."""
    return [_update(probe, table) for table in _tables(probe)] or [_small("optimizer")]


def regularizers(probe: Probe) -> list[Finding]:
    """Examines what reads a whole table besides: regularizers and constraints."""
    found = [
        _walk(probe, table, kind, function)
        for table in _tables(probe)
        for kind in ("regularizer", "constraint")
        if (function := getattr(table.layer, f"{table.attribute}_{kind}", None)) is not None
    ]
    return found or [Finding("regularizer", "ok", "no regularizer or constraint walks a table")]


def _tables(probe: Probe) -> list[_Large]:
    found: dict[int, _Large] = {}
    # A layer of tf_keras that is frozen has variables that say they are trainable.
    trained = {id(variable) for variable in probe.model.trainable_variables}
    for layer in private.all_layers(probe.model):
        for attribute in ("kernel", "embeddings"):
            owner = getattr(layer, "kernel_source", None) if attribute == "kernel" else None
            variable = getattr(layer, attribute, None) if owner is None else None
            shape = getattr(variable, "shape", ())
            if variable is None or len(shape) != 2 or shape[0] < _FEWEST_ROWS:
                continue
            if id(variable) in trained:
                found.setdefault(id(variable), _Large(layer, attribute, variable))
    return list(found.values())


def _small(name: str) -> Finding:
    return Finding(name, "ok", f"no table has {_FEWEST_ROWS} rows, so nothing is worth measuring")


def _update(probe: Probe, table: _Large) -> Finding:
    optimizer = probe.model.optimizer
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    rows, dim = (int(size) for size in table.variable.shape)
    touched = _touched(probe, rows)
    most = min(rows, max(work.MOST_NUMBERS // dim, 4))
    some = min(touched, most // 4)  # As many as a part of the table leaves room for.
    few = max(most // 4, some)
    times = {}
    for size in (few, most):
        probe.watch.check()
        update = _step_of_a_copy(probe, optimizer, size, dim, some)
        times[size] = probe.watch.time(f"update of {size} rows", update)
    by_row = max(times[most] - times[few], 0.0) / max(most - few, 1)
    total = times[most] + by_row * (rows - most)
    total += times[few] * (touched / some - 1)
    walk = min(by_row * rows, total)
    name, step = compiled.name_of(optimizer), probe.step_seconds
    kind = type(optimizer).__name__
    much = walk > _MUCH * (step if step is not None else 1e-3) and walk > times[few] / 2
    estimated = "" if most == rows else f" (measured on {most} rows)"
    figures = {"update_ms": total * 1000, "walk_ms": walk * 1000}
    if not much:
        seen = f"an update of {table.name} takes {milliseconds(total)}{estimated}: "
        return Finding("optimizer", "ok", seen + "the rows of the batch alone", figures=figures)
    lazy = _LAZY.get(name.lower(), _LAZY.get(kind.lower(), ""))
    ours = "tf_keras" if probe.keras.__name__.startswith("tf_keras") else "keras"
    way_out = (
        f"tsc.{ours}.optimizers.{lazy}: the same slots and checkpoints, but it updates only the "
        "rows that occur"
        if lazy
        else f"one of the lazy optimizers in tsc.{ours}.optimizers"
    )
    return Finding(
        "optimizer",
        "warning",
        f"{kind} updates all {rows} rows of {table.name} for the {touched} or so of a batch",
        f"an update takes {milliseconds(total)}, {milliseconds(walk)} of it for the other rows"
        + estimated
        + ("" if step is None else f"; the rest of the step takes {milliseconds(step)}"),
        way_out,
        figures,
    )


def _touched(probe: Probe, rows: int) -> int:
    sizes = [
        output.loss.num_sampled + int(tf.size(output.labels))
        for output in probe.outputs
        if output.is_sampled
    ]
    return max(min(sum(sizes) or 1, rows // 4), 1)


def _step_of_a_copy(
    probe: Probe, optimizer: Any, rows: int, dim: int, touched: int
) -> Callable[[], Any]:
    """Returns a function that updates some rows of a table of its own."""
    copy = type(optimizer).from_config(optimizer.get_config())
    zeros = np.zeros([rows, dim], np.float32)
    keras_variable = getattr(probe.keras, "Variable", None)
    table = tf.Variable(zeros) if keras_variable is None else keras_variable(zeros, name="probe")
    if hasattr(copy, "build"):
        copy.build([table])
    ids = tf.constant(np.linspace(0, rows - 1, touched).astype(np.int64))
    values = tf.ones([touched, dim])

    @tf.function(autograph=False)
    def update() -> Any:
        gradient = tf.IndexedSlices(values, ids, tf.constant([rows, dim], tf.int64))
        copy.apply_gradients([(gradient, table)])
        return tf.constant(0)

    return update


def _walk(probe: Probe, table: _Large, kind: str, function: Any) -> Finding:
    rows, dim = (int(size) for size in table.variable.shape)
    size = min(rows, max(work.MOST_NUMBERS // dim, 1))

    def measure() -> float:
        probe.watch.check()
        values = tf.constant(np.full([size, dim], 0.01, np.float32))

        @tf.function(autograph=False)
        def walk() -> Any:
            with tf.GradientTape() as tape:
                tape.watch(values)
                result = function(values)
            return tape.gradient(result, values) if kind == "regularizer" else result

        return probe.watch.time(kind, walk)

    label = f"{type(function).__name__}, the {kind} of {table.name},"
    effect = "makes its gradient dense, so that every row is updated"
    seen = f"{label} reads all {rows} rows at each step"
    seen += f" and {effect}" if kind == "regularizer" else ""
    way_out = (
        "decay the rows that occur: LazyAdamW, or weight_decay= of the lazy optimizers"
        if kind == "regularizer"
        else "normalize the rows that are used in the model's call, or leave the constraint out"
    )
    try:
        seconds = measure() * rows / size
    except OutOfTime as error:
        return Finding("regularizer", "warning", seen, f"not measured: {error}", way_out)
    estimated = "" if size == rows else f" (measured on {size} rows)"
    return Finding(
        "regularizer",
        "warning",
        seen,
        f"{milliseconds(seconds)} a step{estimated}, beside the update",
        way_out,
        {f"{kind}_ms": seconds * 1000},
    )
