"""A training step of the softmax over all classes: Keras's dense layer and loss, and ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing, fresh_process, steps
from tf_sampled_compat.bench.steps import FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Contender, Effort, geometric_mean, medians

TITLE = "a step over all classes: Dense and SparseCategoricalCrossentropy, ours and FullSoftmax"
COLUMNS = (
    ("B", "batch", ",d"),
    ("D", "dim", "d"),
    ("C", "classes", ",d"),
    ("terms", "terms", ""),
    ("Keras ms", "stock_ms", ",.1f"),
    ("ours ms", "ours_ms", ",.1f"),
    ("ratio", "ratio", ".2f"),
    ("Keras MiB", "stock_mib", ",.0f"),
    ("ours MiB", "ours_mib", ",.0f"),
    ("share", "share", ".3f"),
    ("one [C, D] MiB", "table_mib", ",.0f"),
)

_NO_TERMS, _ALL_TERMS = "none", "all"


class Cell(NamedTuple):
    """A shape, and whether our loss has all terms; Keras's has none."""

    batch: int
    dim: int
    classes: int
    terms: str = _NO_TERMS

    def __str__(self) -> str:
        return f"B = {self.batch}, D = {self.dim}, C = {self.classes:,}, terms: {self.terms}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    if quick:
        return [Cell(16, 8, 500), Cell(16, 8, 500, _ALL_TERMS)]
    dims = 64, 128, 256, 512
    return [*(Cell(1024, dim, 50_000) for dim in dims), Cell(1024, 64, 50_000, _ALL_TERMS)]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    ms = medians([_step(cell, how) for how in (STOCK, FUSED)], effort)
    stock_mib, ours_mib = (
        fresh_process.extra_mib(contenders, cell=list(cell), how=how) for how in (STOCK, FUSED)
    )
    return [
        {
            **cell._asdict(),
            "stock_ms": ms[STOCK],
            "ours_ms": ms[FUSED],
            "ratio": ms[STOCK] / ms[FUSED],
            "stock_mib": stock_mib,
            "ours_mib": ours_mib,
            "share": ours_mib / max(stock_mib, 1e-9),
            "table_mib": 4 * cell.classes * cell.dim / 2**20,
        }
    ]


def contenders(cell: Sequence[Any], how: str) -> tuple[Contender, Contender]:
    """Returns a tiny step and the one to measure; see `fresh_process`."""
    real = Cell(*cell)
    return _step(real._replace(batch=8, dim=8, classes=200), how), _step(real, how)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    return {
        "the least ratio": min(row["ratio"] for row in rows),
        "the geometric mean of the ratios": geometric_mean([row["ratio"] for row in rows]),
        "the largest share of Keras's memory": max(row["share"] for row in rows),
    }


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    names = [f"D = {row['dim']}, terms: {row['terms']}" for row in rows]
    for index, (key, name) in enumerate((("stock_ms", STOCK), ("ours_ms", FUSED))):
        drawing.bars(axes, names, {n: row[key] for n, row in zip(names, rows)}, name, index - 0.5)
    drawing.label(axes, f"A step over all {rows[0]['classes']:,} classes", "ms", "")
    axes.legend()


def _step(cell: Cell, how: str) -> Contender:
    """Returns a step of a hidden layer and an output layer, with the update of both."""
    keras = tf.keras
    # Drawing initial values would leave free memory, in which a step then finds room.
    all_terms = cell.terms == _ALL_TERMS
    if how == STOCK:
        head = keras.layers.Dense(cell.classes, kernel_initializer="zeros")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        scaling = {"normalize": True, "temperature": 0.05} if all_terms else {}
        head = tsc.keras.layers.SampledDense(cell.classes, kernel_initializer="zeros", **scaling)
        terms = {"margin": tsc.margins.ArcFace(0.3), "label_smoothing": 0.1, "z_loss": 1e-4}
        loss = tsc.keras.losses.FullSoftmax(**(terms if all_terms else {}))
    inputs = keras.Input([cell.dim])
    model = keras.Model(inputs, head(keras.layers.Dense(cell.dim)(inputs)))
    optimizer = keras.optimizers.SGD(1e-3)
    values = steps.skewed_values(Shape(cell.batch, cell.dim, 1, classes=cell.classes))
    labels, x = values.labels[:, 0], values.inputs

    @tf.function
    def step(x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = loss(labels, model(x, training=True))
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, weights), weights))
        return value

    return Contender(how, step, lambda: (x, labels))
