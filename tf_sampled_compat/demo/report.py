"""The printed report: a table of the contenders, and a table of neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Optional

import numpy as np
from rich.table import Table

from tf_sampled_compat.cli import console
from tf_sampled_compat.demo.training import Entry, Record

# The reported training loss is the mean of the last tenth of the steps.
_LAST = 0.1


class Comparison(NamedTuple):
    """A contender beside its twin.

    Attributes:
      gain: The median time of the twin's step, divided by the contender's.
      same_state: The largest relative difference of losses and gradients, both computed on the
        same variables and batch.
      whole_run: `[steps]` relative differences of the mean losses of the two trainings, at each
        step.
    """

    gain: float
    same_state: Optional[float]
    whole_run: np.ndarray


def comparison(entry: Entry, entries: Sequence[Entry]) -> Optional[Comparison]:
    """Compares a contender with its twin, or returns None if it has none."""
    twins = [other for other in entries if other.contender.name == entry.contender.twin]
    if not twins:
        return None
    mine, other = entry.record, twins[0].record
    steps = min(len(mine.losses), len(other.losses))
    ours, theirs = np.array(mine.losses[:steps]), np.array(other.losses[:steps])
    differences = [difference for _, difference in entry.record.differences]
    return Comparison(
        gain=_milliseconds(other) / _milliseconds(mine) if steps else 1.0,
        same_state=max(differences) if differences else None,
        whole_run=np.abs(ours - theirs) / np.abs(theirs),
    )


def results(entries: Sequence[Entry], *, title: str) -> Table:
    """Returns the table of results.

    Args:
      entries: The contenders, fully or partly trained.
      title: The line above the table.
    """
    table = console.table(title)
    table.add_column("loss", overflow="fold")
    for header in (
        "training\nloss",
        "ms a\nstep",
        "times\nas fast",
        "held-out\nloss",
        "mean\nrank",
        "recall\n@10",
        "same\nstate",
        "whole\nrun",
    ):
        table.add_column(header, justify="right", no_wrap=True)
    for entry in entries:
        table.add_row(entry.contender.name, *_figures(entry, entries))
    return table


def neighbourhood(found: Mapping[str, Sequence[tuple[str, float]]], *, title: str) -> Table:
    """Returns the table of neighbours, the nearest first, with their cosine similarities."""
    table = console.table(title)
    table.add_column("identifier", no_wrap=True)
    table.add_column("nearest, with cosine similarity")
    for name, others in found.items():
        table.add_row(name, ", ".join(f"{other} {cosine:.2f}" for other, cosine in others))
    return table


def _figures(entry: Entry, entries: Sequence[Entry]) -> list[str]:
    record, compared = entry.record, comparison(entry, entries)
    steps = len(record.losses)
    if not steps:
        return ["-"] * 8
    return [
        f"{np.mean(record.losses[-max(1, round(_LAST * steps)) :]):.3f}",
        f"{_milliseconds(record):.2f}",
        f"{compared.gain:.2f}" if compared else "-",
        *_held_out(record),
        f"{compared.same_state:.0e}" if compared and compared.same_state is not None else "-",
        f"{compared.whole_run.max():.0e}" if compared and len(compared.whole_run) else "-",
    ]


def _milliseconds(record: Record) -> float:
    # The first step is slow because it traces.
    return 1e3 * float(np.median(record.seconds[1:] or record.seconds))


def _held_out(record: Record) -> list[str]:
    if not record.final:
        return ["-"] * 3
    loss, mean_rank, recall = record.final
    return [f"{loss:.3f}", f"{mean_rank:,.0f}", f"{recall:.1%}"]
