"""Printed tables, lines and progress bars: fitted to a terminal, whole everywhere else."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
from rich.table import Table

# Wider than any table. rich cuts the cells of a table that is wider than the console.
_UNLIMITED = 10_000
_BAR_WIDTH = 40


def make() -> Console:
    """Returns a console on the standard output. A file or a pipe gets every table whole."""
    console = Console()
    if not console.is_terminal:
        console.width = _UNLIMITED
    return console


def table(title: str) -> Table:
    """Returns an empty table with this line above it."""
    return Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1)
    )


def show(console: Console, *parts: object) -> None:
    """Prints tables and lines, with a blank line before each table."""
    for part in parts:
        if isinstance(part, Table):
            console.print()
        console.print(part, highlight=False, markup=False, soft_wrap=isinstance(part, str))


def progress(
    console: Console, time_column: ProgressColumn, *, width: int, auto_refresh: bool = True
) -> Progress:
    """Returns a progress display of tasks that have a `note`.

    Args:
      console: Where to draw it.
      time_column: How to show the time.
      width: The width of the longest description.
      auto_refresh: Whether a thread redraws it; if not, it changes by `update(refresh=True)`.
    """
    fills = console.is_terminal
    return Progress(
        TextColumn(f"{{task.description:<{width}}}"),
        BarColumn(bar_width=None if fills else _BAR_WIDTH),
        MofNCompleteColumn(),
        time_column,
        TextColumn("{task.fields[note]}"),
        console=console,
        expand=fills,
        auto_refresh=auto_refresh,
    )
