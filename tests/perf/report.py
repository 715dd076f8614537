"""The printed comparison."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tests.perf.verdict import BOUNDS, SLOWER, Row
from tf_sampled_compat.cli import console


def table(rows: Sequence[Row]) -> Table:
    """Returns the table of all quantities."""
    made = console.table("this tree against the base")
    for header in ("step", "quantity"):
        made.add_column(header, no_wrap=True)
    for header in ("base", "here", "here/base", "95 % interval"):
        made.add_column(header, justify="right", no_wrap=True)
    made.add_column("", no_wrap=True)
    for row in rows:
        made.add_row(row.step, row.quantity, *_figures(row), row.verdict)
    return made


def summary(rows: Sequence[Row]) -> str:
    """Returns the lines below the table: the bounds, and the failures."""
    bounds = ", ".join(
        f"{name} {part:.0%}" + (f" + {absolute:,.0f}" if absolute else "")
        for name, (part, absolute) in BOUNDS.items()
    )
    failed = [f"{row.step}: {row.quantity} {row.verdict}" for row in rows if row.fails]
    return "\n".join(
        [
            f"growth allowed: {bounds}; ms: an interval that begins above {SLOWER}",
            *(failed or ["nothing is slower"]),
        ]
    )


def _figures(row: Row) -> list[str]:
    style = ".3f" if row.quantity == "ms" else ",.0f"
    low_high = "-" if row.interval is None else "{:.3f} - {:.3f}".format(*row.interval)
    return [
        "-" if row.base is None else format(row.base, style),
        format(row.here, style),
        "-" if row.ratio is None else f"{row.ratio:.3f}",
        low_high,
    ]
