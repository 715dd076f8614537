"""A count of the files on a terminal, and nothing anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def counter() -> Iterator[Callable[[], None]]:
    """Yields what to call for each file: it shows how many there were, if someone watches."""
    try:
        from rich.console import Console
        from rich.progress import Progress, TextColumn, TimeElapsedColumn
    except ImportError:
        yield lambda: None
        return
    if not sys.stderr.isatty():
        yield lambda: None
        return
    columns = TextColumn("{task.completed:,.0f} files"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda: progress.advance(task)
