"""The training step of TAPAS, by the C++ op and by TensorFlow's ops (TF 2 has no TAPAS loss)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tf_sampled_compat.bench import drawing, floor, steps
from tf_sampled_compat.bench.steps import COMPOSITE, FUSED, Shape
from tf_sampled_compat.bench.timing import Effort, geometric_mean, medians

TITLE = "TAPAS: loss and all gradients, in TensorFlow's ops and fused"
COLUMNS = (
    ("B", "batch", "d"),
    ("D", "dim", "d"),
    ("S", "sampled", ",d"),
    ("R", "resampled", ",d"),
    ("composite ms", "composite_ms", ".2f"),
    ("ours ms", "ours_ms", ".2f"),
    ("ratio", "ratio", ".2f"),
    ("floor ms", "floor_ms", ".2f"),
    ("ours/floor", "times_floor", ".2f"),
    ("off composite", "difference", ".0e"),
)


def cells(quick: bool) -> Sequence[Shape]:
    """See `sections.Section`."""
    if quick:
        return [Shape(16, 8, 64, classes=500, resampled=16)]
    return [Shape(batch, dim, 65536, resampled=1024) for batch, dim in ((256, 64), (1024, 128))]


def measure(cell: Shape, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    on, values = steps.tables(cell.classes, cell.dim), steps.skewed_values(cell)
    composite, ours = (
        steps.contender("tapas", how, cell, on, values) for how in (COMPOSITE, FUSED)
    )
    ms = medians([composite, ours], effort, floors=floor.tapas_products(cell))
    return [
        {
            **cell._asdict(),
            "composite_ms": ms[COMPOSITE],
            "ours_ms": ms[FUSED],
            "ratio": ms[COMPOSITE] / ms[FUSED],
            "floor_ms": ms["floor"],
            "times_floor": ms[FUSED] / ms["floor"],
            "difference": steps.loss_difference(composite, ours),
        }
    ]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    ratios = [row["ratio"] for row in rows]
    return {"geometric mean of the ratios": geometric_mean(ratios), "the least": min(ratios)}


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    ratios = {f"({r['batch']}, {r['dim']}, {r['sampled']})": r["ratio"] for r in rows}
    drawing.bars(axes, list(ratios), ratios, FUSED, 0)
    axes.axvline(1, color="black", linewidth=0.8)
    drawing.label(axes, "TAPAS, by (B, D, S)", "times as fast as in TensorFlow's ops", "")
