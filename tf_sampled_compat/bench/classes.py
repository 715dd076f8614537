"""The same training step over ever larger tables, beside TensorFlow's; see `growth`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_sampled_compat.bench import growth, steps
from tf_sampled_compat.bench.growth import Cell
from tf_sampled_compat.bench.steps import FUSED, STOCK
from tf_sampled_compat.bench.timing import Contender, Effort, medians

TITLE = "time against C, softmax: the same ids, and fresh ones from the whole table each step"
COLUMNS = growth.COLUMNS
cells, summary = growth.cells, growth.summary


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    # Contenders of all sizes take turns, because the sizes are compared with each other.
    contenders = [each for classes in cell.classes for each in _pair(cell, classes)]
    return growth.rows(cell, medians(contenders, effort))


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    growth.draw(axes, rows, "Time against C")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)


def _pair(cell: Cell, classes: int) -> list[Contender]:
    on = steps.tables(classes, cell.shape.dim)
    shape = cell.shape._replace(classes=classes)
    rng = np.random.default_rng(1)
    same = steps.skewed_values(cell.shape._replace(classes=cell.classes[0]))
    return [
        Contender(
            growth.name(how, classes),
            steps.step("softmax", how, shape, on),
            (lambda: same) if cell.ids == "same" else (lambda: steps.spread_values(shape, rng)),
        )
        for how in (STOCK, FUSED)
    ]
