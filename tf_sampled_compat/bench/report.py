"""The printed report: the machine, and a table for each section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from tf_sampled_compat.bench.sections import Section
from tf_sampled_compat.cli import console


def heading(machine: Mapping[str, Any]) -> str:
    """Returns the lines that name the machine and the versions."""
    return (
        f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['threads']} threads, "
        f"{machine['instruction_set']}, load {machine['load']:.1f}\n"
        f"TensorFlow {machine['tensorflow']}, tf_sampled_compat {machine['tf_sampled_compat']}, "
        f"NumPy {machine['numpy']}, Python {machine['python']}\n"
        f"floor: {machine['floor_by']}"
    )


def table(section: Section, rows: Sequence[dict[str, Any]]) -> Table:
    """Returns a section's table."""
    made = console.table(section.TITLE)
    for header, _, style in section.COLUMNS:
        made.add_column(header, justify="right" if style else "left", no_wrap=True)
    for row in rows:
        made.add_row(*(_text(row[key], style) for _, key, style in section.COLUMNS))
    return made


def summary(section: Section, rows: Sequence[dict[str, Any]]) -> str:
    """Returns the line below a section's table."""
    return ", ".join(f"{name} {value:.2f}" for name, value in section.summary(rows).items())


def _text(value: Any, style: str) -> str:
    return "-" if value is None else format(value, style)
