"""One run of the bench, from the first cell to the files."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import TimeElapsedColumn

from tf_sampled_compat.bench import machine, picture, report
from tf_sampled_compat.bench.sections import SECTIONS, Row
from tf_sampled_compat.bench.timing import Effort
from tf_sampled_compat.cli import console as cli
from tf_sampled_compat.cli import exit_codes


def run(sections: Sequence[str], effort: Effort, folder: Path, *, command: str) -> int:
    """Measures the sections, prints a table of each, and writes bench.json and bench.png.

    Args:
      sections: Their names.
      effort: How much to measure.
      folder: Where the files go.
      command: What the user called, for the record.

    Returns:
      The exit code: 0; 1 if a file cannot be written; 130 after Ctrl-C, after which
      the finished cells are written.
    """
    console = cli.make()
    started, where = time.perf_counter(), machine.describe()
    cli.show(console, report.heading(where))
    measured: dict[str, list[Row]] = {}
    interrupted = False
    try:
        _measure(sections, effort, measured, console)
    except KeyboardInterrupt:
        interrupted = True
    measured = {name: rows for name, rows in measured.items() if rows}
    seconds = time.perf_counter() - started
    if measured:
        record = _record(measured, where, effort, command=command, seconds=seconds)
        try:
            _write(record, measured, folder)
        except OSError as error:
            cli.show(console, f"cannot write into {folder}: {error.strerror}")
            return exit_codes.FAILED
    if interrupted:
        cli.show(console, "stopped")
    if measured:
        cli.show(console, f"figures: {folder / 'bench.json'}, picture: {folder / 'bench.png'}")
    cli.show(console, f"{seconds:.0f} s in all")
    return exit_codes.INTERRUPTED if interrupted else exit_codes.OK


def _measure(
    sections: Sequence[str], effort: Effort, measured: dict[str, list[Row]], console: Console
) -> None:
    """Adds the rows of each section to `measured`, cell by cell."""
    cells = {name: SECTIONS[name].cells(effort.quick) for name in sections}
    # A thread that redraws would take its time from the contenders.
    display = cli.progress(console, TimeElapsedColumn(), width=8, auto_refresh=False)
    with display as progress:
        task = progress.add_task("", total=sum(map(len, cells.values())), note="")
        for name in sections:
            section, rows = SECTIONS[name], measured.setdefault(name, [])
            for cell in cells[name]:
                progress.update(task, description=name, note=str(cell), refresh=True)
                rows += section.measure(cell, effort)
                gc.collect()  # A tf.function and its tables form a reference cycle.
                progress.update(task, advance=1, refresh=True)
            cli.show(console, report.table(section, rows), report.summary(section, rows))


def _record(
    measured: Mapping[str, Sequence[Row]],
    where: Mapping[str, Any],
    effort: Effort,
    *,
    command: str,
    seconds: float,
) -> dict[str, Any]:
    return {
        "command": command,
        "machine": {**where, "load_after": machine.load()},
        "effort": effort._asdict(),
        "seconds": seconds,
        "sections": {
            name: {
                "title": SECTIONS[name].TITLE,
                "rows": rows,
                "summary": SECTIONS[name].summary(rows),
            }
            for name, rows in measured.items()
        },
    }


def _write(record: Mapping[str, Any], measured: Mapping[str, Sequence[Row]], folder: Path) -> None:
    (folder / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
    where = record["machine"]
    title = (
        f"TensorFlow {where['tensorflow']} and tf_sampled_compat {where['tf_sampled_compat']}, "
        f"{where['cpu']}, {where['threads']} threads, {where['instruction_set']}"
    )
    picture.draw(measured, folder / "bench.png", title=title)
