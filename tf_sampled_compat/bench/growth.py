"""A step over ever larger tables: the cells, rows and curves of the sections `classes` and `keras`.

A step that copies or walks the whole table slows down as the table grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tf_sampled_compat.bench import drawing
from tf_sampled_compat.bench.steps import FUSED, STOCK, Shape

COLUMNS = (
    ("ids", "ids", ""),
    ("C", "classes", ",d"),
    ("stock ms", "stock_ms", ".2f"),
    ("ours ms", "ours_ms", ".2f"),
    ("ratio", "ratio", ".2f"),
    ("stock/least C", "stock_growth", ".2f"),
    ("ours/least C", "ours_growth", ".2f"),
)


class Cell(NamedTuple):
    """A step over tables of several sizes, the smallest first.

    Attributes:
      ids: "same": every step has the same ids; "fresh": new ones from the whole table.
      shape: All sizes but C.
      classes: C of each table.
    """

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


def name(how: str, classes: int) -> str:
    """Returns the name of the contender that computes by `how` over a table of this size."""
    return f"{how} {classes}"


def rows(cell: Cell, ms: Mapping[str, float]) -> list[dict[str, Any]]:
    """Returns a row for each size.

    Args:
      cell: The cell.
      ms: The medians by `name`. Stock's may be missing for large tables.
    """
    least = cell.classes[0]
    stock_least, ours_least = ms[name(STOCK, least)], ms[name(FUSED, least)]
    made = []
    for classes in cell.classes:
        stock, ours = ms.get(name(STOCK, classes)), ms[name(FUSED, classes)]
        made.append(
            {
                **cell.shape._replace(classes=classes)._asdict(),
                "ids": cell.ids,
                "stock_ms": stock,
                "ours_ms": ours,
                "ratio": stock and stock / ours,
                "stock_growth": stock and stock / stock_least,
                "ours_growth": ours / ours_least,
            }
        )
    return made


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    return {
        f"the most growth of ours, {ids} ids": max(row["ours_growth"] for row in of)
        for ids, of in by_ids(rows).items()
    }


def by_ids(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of each kind of ids."""
    kinds = dict.fromkeys(row["ids"] for row in rows)
    return {ids: [row for row in rows if row["ids"] == ids] for ids in kinds}


def draw(axes: Any, rows: Sequence[dict[str, Any]], title: str) -> None:
    """Draws the times against C: solid for the same ids, dashed for fresh ones."""
    for key, series in (("stock_ms", STOCK), ("ours_ms", FUSED)):
        for ids, of in by_ids(rows).items():
            points = [(row["classes"], row[key]) for row in of if row[key] is not None]
            dashes = "-" if ids == "same" else "--"
            drawing.curve(axes, points, series, f"{series}, {ids} ids", linestyle=dashes)
    drawing.label(axes, title, "classes", "ms a step")
    axes.legend()
