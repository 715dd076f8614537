"""The figures as a picture, with a panel for each section."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tf_sampled_compat.bench.sections import SECTIONS

_ACROSS = 3
_WIDTH = 6  # inches, of a panel
_TITLE_LETTERS = 11  # that surely fit into an inch


def draw(measured: Mapping[str, Sequence[Any]], path: Path, *, title: str) -> None:
    """Writes a PNG.

    Args:
      measured: The rows of each section: at least one section, and at least one row in each.
      path: The file, whose folder exists.
      title: The line above the panels.

    Raises:
      OSError: If the file cannot be written.
    """
    figure(measured, title=title).savefig(path, format="png")


def figure(measured: Mapping[str, Sequence[Any]], *, title: str) -> Figure:
    """Returns the picture that `draw` writes."""
    across = min(_ACROSS, len(measured))
    down = math.ceil(len(measured) / across)
    made = Figure(figsize=(_WIDTH * across, 4.4 * down + 0.6), dpi=110, layout="constrained")
    FigureCanvasAgg(made)
    made.suptitle(textwrap.fill(title, _TITLE_LETTERS * _WIDTH * across))
    panels = made.subplots(down, across, squeeze=False).flat
    for axes, (name, rows) in zip(panels, measured.items()):
        SECTIONS[name].draw(axes, rows)
    for axes in list(panels):  # The iterator goes on: these panels have no section.
        axes.set_visible(False)
    return made
