"""One finding: what was seen, with its numbers, what it costs, and the way out."""

from __future__ import annotations

import dataclasses
from typing import Literal

Severity = Literal["ok", "note", "unknown", "warning", "error"]
# From harmless to harmful; the place is the number that `tf.summary` gets.
SEVERITIES: tuple[Severity, ...] = ("ok", "note", "unknown", "warning", "error")


@dataclasses.dataclass(frozen=True)
class Finding:
    """A finding.

    Attributes:
      name: What was examined, such as "optimizer".
      severity: "ok", "note", "warning" or "error"; "unknown" if it could not be examined.
      seen: What was seen, in a sentence with its numbers.
      cost: What it costs.
      way_out: What to do about it.
      figures: The numbers, by name; a time is in milliseconds.
    """

    name: str
    severity: Severity
    seen: str
    cost: str = ""
    way_out: str = ""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def level(self) -> int:
        """The severity as a number: 0 if all is well, 4 for an error."""
        return SEVERITIES.index(self.severity)


def failed(name: str, error: BaseException) -> Finding:
    """Returns the finding of an examination that raised an error."""
    text = " ".join(_said(error).split()) or type(error).__name__
    text = text if len(text) <= 240 else text[:237] + "..."
    return Finding(name, "unknown", f"could not be measured: {text}")


def _said(error: BaseException) -> str:
    """Returns what an error says, without the stack that TensorFlow puts before it."""
    text = str(error)
    if text.startswith("Graph execution error"):
        text = text.split("\n\t [[")[0].rstrip().rpartition("\n")[2]
    return text


def milliseconds(seconds: float) -> str:
    """Returns a time as text, with three digits at most."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"


def percent(share: float) -> str:
    """Returns a share as text, in percent."""
    value = 100 * share
    return f"{value:.0f} %" if abs(value) >= 10 else f"{value:.2g} %"
