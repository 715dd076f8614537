"""The sections of the bench by name, and the interface of a section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tf_sampled_compat.bench import (
    classes,
    diagnose,
    full,
    full_softmax,
    grid,
    keras,
    memory,
    negatives,
    sampled,
    samplers,
    slices,
    tapas,
    terms,
)
from tf_sampled_compat.bench.timing import Effort

Row = dict[str, Any]


class Section(Protocol):
    """A module that measures one thing. To add a section, add a module and a line in `SECTIONS`."""

    @property
    def TITLE(self) -> str:
        """The line above its table, which is also shown by --help."""
        ...

    @property
    def COLUMNS(self) -> Sequence[tuple[str, str, str]]:
        """The columns of its table: (header, key in a row, format)."""
        ...

    def cells(self, quick: bool) -> Sequence[Any]:
        """Returns the cells to measure; `str` of a cell is shown as progress."""
        ...

    def measure(self, cell: Any, effort: Effort) -> list[Row]:
        """Measures a cell. Rows hold only numbers, strings and None; times are in ms."""
        ...

    def summary(self, rows: Sequence[Row]) -> dict[str, float]:
        """Returns the figures that summarize the rows; there is at least one row."""
        ...

    def draw(self, axes: Any, rows: Sequence[Row]) -> None:
        """Draws the rows into a matplotlib panel; there is at least one row."""
        ...


SECTIONS: dict[str, Section] = {
    "grid": grid,
    "slices": slices,
    "terms": terms,
    "sampled": sampled,
    "tapas": tapas,
    "negatives": negatives,
    "classes": classes,
    "memory": memory,
    "full": full,
    "full_softmax": full_softmax,
    "keras": keras,
    "samplers": samplers,
    "diagnose": diagnose,
}
