"""The training step with a gradient entry for each occurrence of a class, and for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf_sampled_compat.bench import drawing, grid, steps
from tf_sampled_compat.bench.steps import FUSED
from tf_sampled_compat.bench.timing import Effort, geometric_mean, medians

TITLE = "gradient entries for each occurrence (TensorFlow's) against one for each class"
COLUMNS = (
    ("(B, D, S, T)", "shape", ""),
    ("loss", "loss", ""),
    ("occurrence ms", "occurrence_ms", ".2f"),
    ("unique ms", "unique_ms", ".2f"),
    ("times", "times_unique", ".2f"),
)


def cells(quick: bool) -> Sequence[grid.Cell]:
    """See `sections.Section`."""
    return [cell for cell in grid.cells(quick) if cell.candidates == "fixed"]


def measure(cell: grid.Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    shape = cell.shape
    on, values = steps.tables(shape.classes, shape.dim), steps.skewed_values(shape)
    contenders = [
        steps.contender(cell.loss, FUSED, shape, on, values, slices=slices)._replace(name=slices)
        for slices in ("occurrence", "unique")
    ]
    ms = medians(contenders, effort)
    return [
        {
            **shape._asdict(),
            "shape": str(shape),
            "loss": cell.loss,
            "occurrence_ms": ms["occurrence"],
            "unique_ms": ms["unique"],
            "times_unique": ms["occurrence"] / ms["unique"],
        }
    ]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    times = [row["times_unique"] for row in rows]
    return {"geometric mean of occurrence / unique": geometric_mean(times), "the most": max(times)}


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    for index, loss in enumerate(("softmax", "nce")):
        times = {row["shape"]: row["times_unique"] for row in rows if row["loss"] == loss}
        drawing.bars(axes, shapes, times, loss, index - 0.5)
    axes.axvline(1, color="black", linewidth=0.8)
    drawing.label(axes, "Entries for each occurrence", "times the step with one a class", "")
    axes.legend()
