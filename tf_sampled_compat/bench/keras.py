"""The training step with Keras's optimizer: loss, gradients and the update of both tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing, steps
from tf_sampled_compat.bench.steps import FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Contender, Effort, medians

TITLE = "a training step with Keras: stock loss and Adam, ours and LazyAdam"
COLUMNS = (
    ("ids", "ids", ""),
    ("C", "classes", ",d"),
    ("stock ms", "stock_ms", ".2f"),
    ("ours ms", "ours_ms", ".2f"),
    ("ratio", "ratio", ".1f"),
    ("stock/least C", "stock_growth", ".2f"),
    ("ours/least C", "ours_growth", ".2f"),
)
# Adam walks the whole table and its two slots: beyond this a step takes seconds.
_MOST_OF_STOCK = 10**6


class Cell(NamedTuple):
    """A training step over tables of several sizes."""

    ids: str
    shape: Shape
    classes: Sequence[int]

    def __str__(self) -> str:
        return f"{self.ids} ids, {self.shape}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    shape = Shape(16, 8, 32) if quick else Shape(256, 64, 1024)
    classes = [200, 2000] if quick else [10**4, 10**5, 10**6, 10**7]
    return [Cell(ids, shape, classes) for ids in ("same", "fresh")]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    # All of ours take turns with each other, since it is they that are compared. Stock's do so
    # apart: a step that writes hundreds of megabytes slows down whoever comes after it.
    ms = medians([_contender(cell, FUSED, classes) for classes in cell.classes], effort)
    least_of_stock = [classes for classes in cell.classes if classes <= _MOST_OF_STOCK]
    ms.update(medians([_contender(cell, STOCK, classes) for classes in least_of_stock], effort))
    least = cell.classes[0]
    rows = []
    for classes in cell.classes:
        stock_ms, ours_ms = ms.get(f"{STOCK} {classes}"), ms[f"{FUSED} {classes}"]
        rows.append(
            {
                **cell.shape._replace(classes=classes)._asdict(),
                "ids": cell.ids,
                "stock_ms": stock_ms,
                "ours_ms": ours_ms,
                "ratio": stock_ms and stock_ms / ours_ms,
                "stock_growth": stock_ms and stock_ms / ms[f"{STOCK} {least}"],
                "ours_growth": ours_ms / ms[f"{FUSED} {least}"],
            }
        )
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    figures = {}
    for ids in dict.fromkeys(row["ids"] for row in rows):
        of = [row for row in rows if row["ids"] == ids]
        figures[f"the most growth of ours, {ids} ids"] = max(row["ours_growth"] for row in of)
        figures[f"the largest ratio, {ids} ids"] = max(row["ratio"] or 0 for row in of)
    return figures


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    for key, name in (("stock_ms", STOCK), ("ours_ms", FUSED)):
        for ids, dashes in (("same", "-"), ("fresh", "--")):
            points = [
                (row["classes"], row[key])
                for row in rows
                if row["ids"] == ids and row[key] is not None
            ]
            drawing.curve(axes, points, name, f"{name}, {ids} ids", linestyle=dashes)
    drawing.label(axes, "A training step with Keras", "classes", "ms a step")
    drawing.log_log(axes)
    axes.legend()


def _contender(cell: Cell, how: str, classes: int) -> Contender:
    shape = cell.shape._replace(classes=classes)
    rng = np.random.default_rng(1)
    same = steps.skewed_values(cell.shape._replace(classes=cell.classes[0]))
    feed = (lambda: same) if cell.ids == "same" else (lambda: steps.spread_values(shape, rng))
    return Contender(f"{how} {classes}", _train_step(how, shape), feed)


def _train_step(how: str, shape: Shape) -> Any:
    """Returns what `fit` compiles for a head: a step that trains both tables in place."""
    on = steps.tables(shape.classes, shape.dim)
    if how == STOCK:
        loss, optimizer = tf.nn.sampled_softmax_loss, tf.keras.optimizers.Adam(1e-3)
    else:
        loss, optimizer = tsc.nn.sampled_softmax_loss, tsc.keras.optimizers.LazyAdam(1e-3)
    optimizer.build(list(on))

    @tf.function
    def run(labels: tf.Tensor, inputs: tf.Tensor, *sampled_values: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            losses = loss(
                *on, labels, inputs, shape.sampled, shape.classes, sampled_values=sampled_values
            )
            mean = tf.reduce_mean(losses)
        optimizer.apply_gradients(zip(tape.gradient(mean, list(on)), on))
        return mean

    return run
