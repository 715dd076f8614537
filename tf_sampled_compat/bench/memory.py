"""The memory a training step needs beyond its tables and arguments, each in a fresh process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tf_sampled_compat.bench import drawing, fresh_process, steps
from tf_sampled_compat.bench.steps import COMPOSITE, FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Contender, Effort

TITLE = "peak extra memory of a step, each figure from a fresh process"
COLUMNS = (
    ("loss", "loss", ""),
    ("B", "batch", ",d"),
    ("D", "dim", "d"),
    ("S", "sampled", ",d"),
    ("one [B, S] MiB", "matrix_mib", ",.0f"),
    ("stock MiB", "stock_mib", ",.0f"),
    ("composite MiB", "composite_mib", ",.0f"),
    ("ours MiB", "ours_mib", ",.0f"),
    ("beyond (B+S)·D", "beyond_mib", ",.0f"),
)

_TINY = Shape(8, 8, 16, classes=500)
# Inputs, rows, their gradients, and each once more on its way: what O((B + S) · D) may mean.
_COPIES = 4


class Cell(NamedTuple):
    """A loss of a shape, and by whom."""

    loss: str
    shape: Shape
    hows: Sequence[str] = (STOCK, COMPOSITE, FUSED)

    def __str__(self) -> str:
        return f"{self.loss} {self.shape}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    if quick:
        return [Cell("softmax", Shape(512, 8, 4096, classes=5000), (STOCK, FUSED))]
    large = Shape(2048, 64, 16384)
    growing = [Cell("softmax", large._replace(sampled=s)) for s in (1024, 4096, 16384, 32768)]
    return [
        *growing,
        Cell("nce", large),
        Cell("tapas", Shape(256, 64, 65536, resampled=1024), (COMPOSITE, FUSED)),
    ]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    shape = cell.shape
    mib = {
        how: fresh_process.extra_mib(contenders, loss=cell.loss, how=how, shape=list(shape))
        for how in cell.hows
    }
    proportional = _COPIES * 4 * (shape.batch + shape.sampled) * shape.dim / 2**20
    return [
        {
            **shape._asdict(),
            "loss": cell.loss,
            "matrix_mib": 4 * shape.batch * shape.sampled / 2**20,
            "stock_mib": mib.get(STOCK),
            "composite_mib": mib.get(COMPOSITE),
            "ours_mib": mib[FUSED],
            "beyond_mib": max(0.0, mib[FUSED] - proportional),
        }
    ]


def contenders(loss: str, how: str, shape: Sequence[int]) -> tuple[Contender, ...]:
    """Returns a tiny step and the one to measure, in the process that measures."""
    real = Shape(*shape)
    tiny = _TINY._replace(resampled=8 if real.resampled else None)
    return tuple(
        steps.contender(loss, how, s, steps.tables(s.classes, s.dim), steps.skewed_values(s))
        for s in (tiny, real)
    )


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    return {f"the most of ours beyond {_COPIES}·(B+S)·D, MiB": max(r["beyond_mib"] for r in rows)}


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    softmax = [row for row in rows if row["loss"] == "softmax"] or rows
    for key, name in (("stock_mib", STOCK), ("composite_mib", COMPOSITE), ("ours_mib", FUSED)):
        points = [(row["sampled"], row[key]) for row in softmax if row[key] is not None]
        drawing.curve(axes, points, name)
    matrix = [(row["sampled"], row["matrix_mib"]) for row in softmax]
    drawing.curve(axes, matrix, "floor", "one [B, S] matrix")
    drawing.label(axes, f"Memory against S, B = {softmax[0]['batch']}", "candidates", "extra MiB")
    drawing.log_log(axes)
    axes.legend()
