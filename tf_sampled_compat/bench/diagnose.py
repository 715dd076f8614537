"""What `diagnose` says a fault costs, beside what it costs in `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing
from tf_sampled_compat.bench.timing import Contender, Effort, medians

TITLE = "what diagnose says: a step or a loss without a fault and with it, and in fit"
COLUMNS = (
    ("fault", "fault", ""),
    ("C", "classes", ",d"),
    ("of", "of", ""),
    ("without", "without", ".2f"),
    ("with", "with", ".2f"),
    ("said without", "said_without", ".2f"),
    ("said with", "said_with", ".2f"),
    ("finding", "severity", ""),
)

METRIC, OPTIMIZER, LABELS = "metric on logits", "dense optimizer", "labels not log-uniform"


class Cell(NamedTuple):
    """A fault, and the sizes of the model that has it."""

    fault: str
    classes: int
    dim: int
    batch: int
    sampled: int
    epochs: int = 0

    def __str__(self) -> str:
        return f"{self.fault}, {self.classes:,} classes"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    if quick:
        sizes = {"classes": 20_000, "dim": 8, "batch": 16, "sampled": 32}
        few = Cell(LABELS, 500, 8, 64, 16, epochs=1)
        return [Cell(METRIC, **sizes), Cell(OPTIMIZER, **sizes), few]
    sizes = {"classes": 500_000, "dim": 64, "batch": 128, "sampled": 1024}
    learning = Cell(LABELS, 20_000, 32, 256, 64, epochs=8)
    return [Cell(METRIC, **sizes), Cell(OPTIMIZER, **sizes), learning]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    return _losses(cell) if cell.fault == LABELS else [_times(cell, effort)]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    return {
        f"{row['fault']}, {row['of']}: times": row["with"] / row["without"]
        for row in rows
        if row["without"]
    }


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Draws how many times the healthy value each faulty one is."""
    names = [f"{row['fault']}: {row['of']}" for row in rows]
    measured = {name: row["with"] / row["without"] for name, row in zip(names, rows)}
    said = {
        name: row["said_with"] / row["said_without"]
        for name, row in zip(names, rows)
        if row["said_without"]
    }
    drawing.bars(axes, names, measured, "fused", -0.5)
    drawing.bars(axes, names, said, "composite", 0.5)
    axes.legend(["in fit", "diagnose says"])
    drawing.label(axes, "A fault beside a healthy model", "times", "")


def _times(cell: Cell, effort: Effort) -> dict[str, Any]:
    """Compares a step of a healthy model with that of one with a metric or a dense optimizer."""
    x, y = _data(cell, cell.batch)
    faulty: dict[str, Any] = {
        METRIC: {"metrics": ["sparse_categorical_accuracy"]},
        OPTIMIZER: {"optimizer": "adam"},
    }[cell.fault]
    models = {"without": _model(cell), "with": _model(cell, **faulty)}
    ms = medians([_step(name, model, x, y) for name, model in models.items()], effort)
    # The batch in `fit` is all of x.
    report = tsc.keras.diagnose(models["with"], x, y, batch_size=cell.batch, verbose=0)
    finding = report["logits" if cell.fault == METRIC else "optimizer"]
    if cell.fault == METRIC:
        said = [finding.figures.get(key) for key in ("step_ms", "step_with_logits_ms")]
    else:  # The finding is about the update alone, so the healthy step is added to the walk.
        walk = finding.figures.get("walk_ms")
        said = [None, None if walk is None else ms["without"] + walk]
    return _row(cell, "ms a step", ms, said, finding.severity)


def _losses(cell: Cell) -> list[dict[str, Any]]:
    """Trains on labels that are log-uniform, and on the same under other numbers."""
    x, y = _data(cell, 128 * cell.batch)
    other = np.random.RandomState(1).permutation(cell.classes)[y]
    found: dict[str, dict[str, float]] = {"sampled loss": {}, "exact loss": {}}
    said: dict[str, list[Any]] = {"sampled loss": [], "exact loss": []}
    severity = ""
    for name, labels in (("without", y), ("with", other)):
        tf.keras.utils.set_random_seed(1)
        model = _model(cell)
        history = model.fit(x, labels, cell.batch, epochs=cell.epochs, verbose=0)
        found["sampled loss"][name] = float(history.history["loss"][-1])
        found["exact loss"][name] = float(model.evaluate(x, labels, cell.batch, verbose=0))
        report = tsc.keras.diagnose(model, x, labels, batch_size=cell.batch, verbose=0)
        for of in said:
            said[of].append(report["num_sampled"].figures.get(of.replace(" ", "_")))
        severity = report["law"].severity
    return [_row(cell, of, found[of], said[of], severity) for of in found]


def _row(
    cell: Cell, of: str, found: dict[str, float], said: Sequence[Any], severity: str
) -> dict[str, Any]:
    sizes = cell._asdict()
    names = dict(zip(("said_without", "said_with"), said))
    return {**sizes, "of": of, **found, **names, "severity": severity}


def _data(cell: Cell, examples: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns inputs that tell something about their labels, which are log-uniform."""
    random = np.random.RandomState(0)
    y = np.exp(random.rand(examples) * np.log(cell.classes + 1)) - 1
    y = np.minimum(y, cell.classes - 1).astype(np.int64)
    hints = random.randn(cell.classes, cell.dim).astype(np.float32)
    return hints[y] + random.randn(examples, cell.dim).astype(np.float32), y


def _model(cell: Cell, optimizer: Any = None, **options: Any) -> Any:
    keras = tf.keras
    inputs = keras.Input([cell.dim])
    hidden = keras.layers.Dense(cell.dim)(inputs)
    # Drawing initial values for a large table takes longer than a step.
    head = tsc.keras.layers.SampledDense(cell.classes, kernel_initializer="zeros")
    model = keras.Model(inputs, head(hidden))
    optimizer = optimizer or tsc.keras.optimizers.LazyAdam(1e-3)
    model.compile(optimizer, tsc.keras.losses.SampledSoftmax(cell.sampled), **options)
    return model


def _step(name: str, model: Any, x: np.ndarray, y: np.ndarray) -> Contender:
    """Returns a step as `fit` makes it."""
    model.make_train_function()
    iterator = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    return Contender(name, lambda: model.train_function(iterator))
