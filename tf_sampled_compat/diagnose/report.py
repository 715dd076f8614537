"""The report of a diagnosis: one page of text, a dictionary, or scalars for `tf.summary`."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.diagnose.finding import SEVERITIES, Finding, Severity

_WIDTH = 100
_COLORS = {"error": "red", "warning": "yellow", "unknown": "magenta", "note": "cyan", "ok": "green"}

# `SummaryMetadata.data_class`: what TensorBoard takes a value for.
_SCALAR, _TENSOR = 1, 2
_PLURAL = {"error": "errors", "warning": "warnings", "note": "notes"}


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What a diagnosis found.

    Attributes:
      model: The model's name.
      about: What was examined, in a line.
      findings: The findings, the worst first.
    """

    model: str
    about: str
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The severity of the worst finding."""
        return SEVERITIES[max((finding.level for finding in self.findings), default=0)]

    def __getitem__(self, name: str) -> Finding:
        """Returns the worst finding with this name."""
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(f"{name!r} is none of {[finding.name for finding in self.findings]}")

    def __str__(self) -> str:
        """Returns the page as plain text, in ASCII."""
        lines = [self._title(), ""]
        width = max((len(finding.name) for finding in self.findings), default=0)
        for finding in self.findings:
            start = f"  {finding.severity:<7}  {finding.name:<{width}}  "
            rest = " " * len(start)
            for number, part in enumerate(_parts(finding)):
                lines += textwrap.wrap(
                    part,
                    max(_WIDTH, len(start) + 40),
                    initial_indent=rest if number else start,
                    subsequent_indent=rest,
                    break_on_hyphens=False,
                )
        return "\n".join(lines)

    def print(self) -> None:
        """Prints the page as a table; as plain text where rich is not installed."""
        try:
            from rich.text import Text

            from tf_sampled_compat.cli import console
        except ImportError:
            print(self)
            return
        table = console.table("")
        table.title = Text(self._title())
        for column in ("", "examined", "found"):
            table.add_column(column)
        for finding in self.findings:
            severity = Text(finding.severity, style=_COLORS[finding.severity])
            table.add_row(severity, finding.name, Text("\n".join(_parts(finding))))
        console.show(console.make(), table)

    def to_dict(self) -> dict[str, Any]:
        """Returns the whole report as strings, numbers, lists and dictionaries."""
        return {
            "model": self.model,
            "about": self.about,
            "severity": self.severity,
            "findings": [dataclasses.asdict(finding) for finding in self.findings],
        }

    def scalars(self) -> dict[str, float]:
        """Returns the numbers by the names that `write_summary` gives them."""
        numbers: dict[str, float] = {}
        for finding in reversed(self.findings):  # The worst last: it keeps a name that repeats.
            numbers[f"diagnose/{finding.name}/level"] = float(finding.level)
            for name, value in finding.figures.items():
                numbers[f"diagnose/{finding.name}/{name}"] = float(value)
        return numbers

    def write_summary(self, step: int = 0) -> None:
        """Writes the numbers, and the page as text, with the default writer of `tf.summary`.

        Args:
          step: The step of the summary.
        """
        for name, value in self.scalars().items():
            _write(name, tf.constant(value, tf.float32), step, "scalars", _SCALAR)
        page = "\n".join("    " + line for line in str(self).split("\n"))
        _write("diagnose", tf.constant(page), step, "text", _TENSOR)

    def show(self, verbose: int = 1, log_dir: Optional[str] = None) -> None:
        """Prints the page unless `verbose` is 0, and writes a summary if there is a `log_dir`."""
        if verbose:
            self.print()
        if log_dir is not None:
            writer = tf.summary.create_file_writer(str(log_dir))
            with writer.as_default():
                self.write_summary()
            writer.close()

    def _title(self) -> str:
        counts = [
            f"{number} {_PLURAL.get(severity, severity) if number > 1 else severity}"
            for severity in reversed(SEVERITIES)
            if (number := sum(f.severity == severity for f in self.findings))
        ]
        return f"{self.model}: {self.about} ({', '.join(counts)})"


def _write(tag: str, value: tf.Tensor, step: int, plugin: str, data_class: int) -> None:
    """Does what `tf.summary.scalar` and `text` do, which need TensorBoard to be installed."""
    metadata = tf.compat.v1.SummaryMetadata(data_class=data_class)
    metadata.plugin_data.plugin_name = plugin
    tf.summary.write(tag, value, step=step, metadata=metadata)


def _parts(finding: Finding) -> list[str]:
    parts = [finding.seen]
    if finding.cost:
        parts.append(f"costs: {finding.cost}")
    if finding.way_out:
        parts.append(f"way out: {finding.way_out}")
    return parts
