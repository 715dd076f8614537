"""Exact evaluation over all classes, beside a matrix product that computes only the logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing, floor, fresh_process, steps
from tf_sampled_compat.bench.steps import COMPOSITE, FUSED, Shape
from tf_sampled_compat.bench.timing import Contender, Effort, medians

TITLE = "exact evaluation over all classes, against one matrix product"
COLUMNS = (
    ("what", "what", ""),
    ("B", "batch", ",d"),
    ("D", "dim", "d"),
    ("C", "classes", ",d"),
    ("composite ms", "composite_ms", ",.0f"),
    ("ours ms", "ours_ms", ",.0f"),
    ("ratio", "ratio", ".2f"),
    ("floor ms", "floor_ms", ",.0f"),
    ("ours/floor", "times_floor", ".2f"),
    ("ours MiB", "ours_mib", ",.0f"),
    ("one [B, C] MiB", "matrix_mib", ",.0f"),
    ("without exclude ms", "without_ms", ",.0f"),
    ("ours/without", "times_without", ".2f"),
)

_K = 10
# What a user has seen: so many classes are left out of each row, by `exclude`.
_SEEN = 100
_EXCLUDING = f"top 10 less {_SEEN}"


class Cell(NamedTuple):
    """The loss, the ten best classes, or the ten best of those that a row has not seen."""

    what: str
    batch: int
    dim: int
    classes: int

    def __str__(self) -> str:
        return f"{self.what}, B = {self.batch}, D = {self.dim}, C = {self.classes:,}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    batch, dims, classes = (16, (8,), 500) if quick else (1024, (64, 256), 10**6)
    whats = "loss", "top 10", _EXCLUDING
    return [Cell(what, batch, dim, classes) for dim in dims for what in whats]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    on = steps.tables(cell.classes, cell.dim)
    composite, ours = (_evaluation(cell, how, on) for how in (COMPOSITE, FUSED))
    products = floor.full_product(cell.batch, cell.dim, cell.classes)
    others = []
    if cell.what == _EXCLUDING:
        same = _evaluation(cell._replace(what="top 10"), FUSED, on)
        others = [same._replace(name="without")]
    ms = medians([composite, ours, *others], effort, floors=products)
    without = ms.get("without")
    return [
        {
            **cell._asdict(),
            "composite_ms": ms[COMPOSITE],
            "ours_ms": ms[FUSED],
            "ratio": ms[COMPOSITE] / ms[FUSED],
            "floor_ms": ms["floor"],
            "times_floor": ms[FUSED] / ms["floor"],
            "ours_mib": fresh_process.extra_mib(contenders, cell=list(cell)),
            "matrix_mib": 4 * cell.batch * cell.classes / 2**20,
            "without_ms": without,
            "times_without": None if without is None else ms[FUSED] / without,
        }
    ]


def contenders(cell: Sequence[Any]) -> tuple[Contender, Contender]:
    """Returns a tiny evaluation and the one to measure; see `fresh_process`."""
    real = Cell(*cell)
    tiny = real._replace(batch=8, dim=8, classes=200)

    def make(c: Cell) -> Contender:
        return _evaluation(c, FUSED, steps.tables(c.classes, c.dim))

    return make(tiny), make(real)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    excluding = [row["times_without"] for row in rows if row["times_without"] is not None]
    return {
        **({"the most times the same without exclude": max(excluding)} if excluding else {}),
        "the most times the floor": max(row["times_floor"] for row in rows),
        "the most memory, MiB": max(row["ours_mib"] for row in rows),
    }


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    names = [f"{row['what']}, D = {row['dim']}" for row in rows]
    for index, (key, name) in enumerate((("composite_ms", COMPOSITE), ("ours_ms", FUSED))):
        times = {n: row[key] / row["floor_ms"] for n, row in zip(names, rows)}
        drawing.bars(axes, names, times, name, index - 0.5)
    axes.axvline(1, color="black", linewidth=0.8)
    drawing.label(
        axes, f"All {rows[0]['classes']:,} classes", "times the product alone (less is better)", ""
    )
    axes.legend()


def _evaluation(cell: Cell, how: str, on: steps.Tables) -> Contender:
    values = steps.skewed_values(Shape(cell.batch, cell.dim, 1, classes=cell.classes))
    seen = None
    if cell.what == _EXCLUDING:
        drawn = np.random.default_rng(0).integers(0, cell.classes, [cell.batch, _SEEN])
        seen = tf.constant(drawn, tf.int64)

    @tf.function
    def loss(labels: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        return tsc.nn.full_softmax_loss(*on, labels, inputs, implementation=how)

    @tf.function
    def top(labels: tf.Tensor, inputs: tf.Tensor) -> Any:
        return tsc.nn.full_top_k(*on, inputs, _K, exclude=seen, implementation=how)

    return Contender(how, loss if cell.what == "loss" else top, lambda: values[:2])
