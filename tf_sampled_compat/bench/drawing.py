"""Bars, curves and labels that the panels of all sections share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

# The colours of Okabe and Ito, which colour-blind readers can tell apart.
_COLOURS = {
    "stock": "#D55E00",
    "composite": "#E69F00",
    "fused": "#0072B2",
    "floor": "#777777",
    "softmax": "#0072B2",
    "nce": "#009E73",
}
_THICKNESS = 0.38


def bars(
    axes: Any, names: Sequence[str], values: Mapping[str, float], series: str, place: float
) -> None:
    """Draws a horizontal bar for each name, the first at the top.

    Args:
      axes: The panel.
      names: The names of all bars in the panel.
      values: The length of each bar, by name; a name without a value has no bar.
      series: The series, which sets the colour and the legend.
      place: The position of the bar in its group, counted in bars.
    """
    there = [index for index, name in enumerate(names) if name in values]
    heights = [values[names[index]] for index in there]
    drawn = axes.barh(
        [index + _THICKNESS * place for index in there],
        heights,
        height=_THICKNESS,
        color=_COLOURS[series],
        label=series,
    )
    axes.bar_label(drawn, fmt="%.2f", padding=2, fontsize=8)
    axes.margins(x=0.14)  # Room for the figures at the ends of the bars.
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)


def curve(
    axes: Any,
    points: Sequence[tuple[float, float]],
    series: str,
    name: Optional[str] = None,
    **style: Any,
) -> None:
    """Draws points and a line through them in the colour of the series."""
    if points:
        x, y = zip(*points)
        axes.plot(x, y, marker="o", color=_COLOURS[series], label=name or series, **style)


def label(axes: Any, title: str, x: str, y: str) -> None:
    """Sets the title and the labels of a panel."""
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25)


def log_log(axes: Any) -> None:
    """Makes both scales of a panel logarithmic."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
