"""What the bench can measure: a name for each section, and what a section is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tf_sampled_compat.bench import classes, full, grid, keras, memory, sampled, samplers, tapas
from tf_sampled_compat.bench.timing import Effort

Row = dict[str, Any]


class Section(Protocol):
    """A module that measures one thing. A new one is such a module and a line in `SECTIONS`."""

    # What stands above its table and in the help.
    TITLE: str
    # (header, key of a row, format) of its table's columns.
    COLUMNS: Sequence[tuple[str, str, str]]

    def cells(self, quick: bool) -> Sequence[Any]:
        """Returns what to measure, one cell at a time; each prints as a line of progress."""
        ...

    def measure(self, cell: Any, effort: Effort) -> list[Row]:
        """Measures a cell. Rows hold numbers, strings and None only; times are in ms."""
        ...

    def summary(self, rows: Sequence[Row]) -> dict[str, float]:
        """Returns the figures that sum the rows up; there is at least one row."""
        ...

    def draw(self, axes: Any, rows: Sequence[Row]) -> None:
        """Draws the rows into a matplotlib panel; there is at least one row."""


SECTIONS: dict[str, Section] = {
    "grid": grid,
    "sampled": sampled,
    "tapas": tapas,
    "classes": classes,
    "memory": memory,
    "full": full,
    "keras": keras,
    "samplers": samplers,
}
