"""The report of an audit: its checks, printed and plotted."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import numpy as np


@dataclasses.dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
      name: What was checked.
      passed: Whether the sampler passed.
      detail: What was found, in one line.
      p_value: The probability that a correct sampler gives a result at least as extreme. None if
        the result is not random.
    """

    name: str
    passed: bool
    detail: str
    p_value: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class AuditReport:
    """The results of an audit.

    Attributes:
      sampler: The sampler's name.
      checks: The checks, in order.
      level: The probability that a correct sampler fails.
      observed: `[range_max]`: how often each class was drawn, over all calls of the last mode
        audited.
      expected: `[range_max]`: how often it should have been drawn, by the stated counts.
    """

    sampler: str
    checks: tuple[Check, ...]
    level: float
    observed: np.ndarray
    expected: np.ndarray

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def __bool__(self) -> bool:
        """Returns `passed`, so that `assert audit(...)` works."""
        return self.passed

    def __str__(self) -> str:
        """Returns the report as plain text, in ASCII."""
        width = max(len(check.name) for check in self.checks)
        lines = [
            f"  {_verdict(check):<4}  {check.name:<{width}}  {_p_value(check):>8}  {check.detail}"
            for check in self.checks
        ]
        verdict = "passed" if self.passed else "FAILED"
        note = f"a correct sampler fails with probability {self.level:g}"
        return "\n".join([f"{self.sampler}: {verdict} ({note})", *lines])

    def print(self) -> None:
        """Prints the report as a table; as plain text where rich is not installed."""
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            print(self)
            return
        verdict = "[green]passed" if self.passed else "[red]FAILED"
        table = Table(title=f"{self.sampler}: {verdict}", title_justify="left")
        for column in ("", "check", "p", "found"):
            table.add_column(column)
        for check in self.checks:
            color = "green" if check.passed else "red"
            cells = (check.name, _p_value(check), check.detail)
            table.add_row(f"[{color}]{_verdict(check)}", *cells)
        Console().print(table)

    def plot(self, path: Optional[str] = None) -> Any:
        """Plots observed and expected counts of each class, highest expected count first.

        Args:
          path: Where to save the picture; None not to save it.

        Returns:
          The matplotlib figure.
        """
        from matplotlib.figure import Figure

        order = np.argsort(-self.expected, kind="stable")
        rank = np.arange(1, len(order) + 1)
        figure = Figure(figsize=(8, 6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        above.loglog(rank, np.maximum(self.observed[order], 0.5), ".", ms=3, label="observed")
        above.loglog(rank, self.expected[order], "-", lw=1, label="expected")
        above.set(title=str(self).split(" (")[0], ylabel="draws of the class")
        above.legend()
        deviation = (self.observed - self.expected) / np.sqrt(np.maximum(self.expected, 1e-9))
        below.semilogx(rank, deviation[order], ".", ms=3)
        below.axhline(0, lw=0.8, color="black")
        below.set(xlabel="class, the most expected first", ylabel="(O - E) / sqrt(E)")
        if path is not None:
            figure.savefig(path)
        return figure


def _verdict(check: Check) -> str:
    return "ok" if check.passed else "FAIL"


def _p_value(check: Check) -> str:
    return "" if check.p_value is None else f"{check.p_value:.2g}"
