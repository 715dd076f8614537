"""The training step at shapes from small to large, beside TensorFlow's step and the floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tf_sampled_compat.bench import drawing, floor, steps
from tf_sampled_compat.bench.steps import CALL, FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Effort, geometric_mean, medians

TITLE = "loss and all gradients by shape (B, D, S, T), against TensorFlow and the floor"
COLUMNS = (
    ("(B, D, S, T)", "shape", ""),
    ("loss", "loss", ""),
    ("candidates", "candidates", ""),
    ("stock ms", "stock_ms", ".2f"),
    ("ours ms", "ours_ms", ".2f"),
    ("ratio", "ratio", ".2f"),
    ("call ms", "call_ms", ".2f"),
    ("floor ms", "floor_ms", ".2f"),
    ("ours/floor", "times_floor", ".2f"),
    ("ops stock", "stock_ops", "d"),
    ("ops ours", "ours_ops", "d"),
    ("off stock", "difference", ".0e"),
)

_SHAPES = [
    Shape(128, 64, 64),
    Shape(256, 128, 1024),
    Shape(1024, 64, 1024),
    Shape(1024, 128, 8192),
    Shape(1024, 512, 8192),
    Shape(4096, 128, 1024),
    Shape(256, 128, 1024, true=5),
]
_QUICK_SHAPES = [Shape(16, 8, 32, classes=500), Shape(24, 8, 16, true=2, classes=500)]


class Cell(NamedTuple):
    """A loss at a shape, with fixed candidates or with candidates drawn in the step."""

    shape: Shape
    loss: str
    candidates: str

    def __str__(self) -> str:
        return f"{self.shape} {self.loss}, {self.candidates}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    shapes = _QUICK_SHAPES if quick else _SHAPES
    return [
        Cell(shape, loss, candidates)
        for shape in shapes
        for loss in ("softmax", "nce")
        for candidates in ("fixed", "drawn")
    ]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    shape, draw = cell.shape, cell.candidates == "drawn"
    on, values = steps.tables(shape.classes, shape.dim), steps.skewed_values(shape)
    stock, ours = (
        steps.contender(cell.loss, how, shape, on, values, draw=draw) for how in (STOCK, FUSED)
    )
    # Two steps that draw their candidates draw different ones, so their results differ.
    difference = None if draw else steps.largest_difference(stock, ours)
    call = steps.contender(cell.loss, CALL, shape, on, values, draw=draw)
    ms = medians([stock, ours, call], effort, floors=floor.sampled_products(shape))
    return [
        {
            **shape._asdict(),
            "shape": str(shape),
            "loss": cell.loss,
            "candidates": cell.candidates,
            "stock_ms": ms[STOCK],
            "ours_ms": ms[FUSED],
            "ratio": ms[STOCK] / ms[FUSED],
            "call_ms": ms[CALL],
            "floor_ms": ms["floor"],
            "times_floor": ms[FUSED] / ms["floor"],
            "stock_ops": steps.num_ops(stock),
            "ours_ops": steps.num_ops(ours),
            "difference": difference,
        }
    ]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    ratios = [row["ratio"] for row in rows]
    large = [row["times_floor"] for row in rows if _gflop(row) >= 1]
    bounds = [row["stock_ms"] / (row["call_ms"] + row["floor_ms"]) for row in rows]
    return {
        "geometric mean of the ratios": geometric_mean(ratios),
        "the least of them": min(ratios),
        **({"the most times the floor from 1 GFLOP on": max(large)} if large else {}),
        "the ratio if only call and floor took time": geometric_mean(bounds),
    }


def _gflop(row: dict[str, Any]) -> float:
    return 6e-9 * row["batch"] * row["dim"] * row["sampled"]


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    fixed = [row for row in rows if row["candidates"] == "fixed"] or rows
    shapes = list(dict.fromkeys(row["shape"] for row in fixed))
    for index, loss in enumerate(("softmax", "nce")):
        ratios = {row["shape"]: row["ratio"] for row in fixed if row["loss"] == loss}
        drawing.bars(axes, shapes, ratios, loss, index - 0.5)
    axes.axvline(1, color="black", linewidth=0.8)
    drawing.label(axes, "Loss and gradients, by (B, D, S, T)", "times as fast as TensorFlow", "")
    axes.legend()
