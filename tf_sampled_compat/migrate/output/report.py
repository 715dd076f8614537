"""Writes the report as text, and the changes as a unified diff."""

from __future__ import annotations

import difflib
import os
import re
from typing import NamedTuple

from tf_sampled_compat.cli.printable import printable
from tf_sampled_compat.migrate.notes import CHANGED, ERROR, LOOK
from tf_sampled_compat.migrate.rewriting.files import Line, Outcome

# Bytes that git and patch quote in a name, but for those above 127, which may be text in UTF-8.
_UNSAFE = re.compile(rb'[\x00-\x1f\x7f"\\]')


class Tally(NamedTuple):
    """The counts of the summary.

    Attributes:
      files: Files looked at.
      parsed: Files that mention a loss, and so were parsed.
      changed: Files that change.
      looks: Places that a person must look at.
      errors: Errors.
      reading: Seconds spent on the files that were not parsed.
      parsing: Seconds spent on the files that were.
    """

    files: int = 0
    parsed: int = 0
    changed: int = 0
    looks: int = 0
    errors: int = 0
    reading: float = 0.0
    parsing: float = 0.0

    def timed(self, *, parsed: bool, seconds: float) -> Tally:
        """Returns the tally with one more file, and the time it took."""
        return self._replace(
            files=self.files + 1,
            parsed=self.parsed + parsed,
            parsing=self.parsing + seconds * parsed,
            reading=self.reading + seconds * (not parsed),
        )

    def add(self, outcome: Outcome) -> Tally:
        """Returns the tally with a file's outcome counted."""
        kinds = [line.note.kind for line in outcome.report]
        return self._replace(
            changed=self.changed + (outcome.after != outcome.before),
            looks=self.looks + kinds.count(LOOK),
            errors=self.errors + kinds.count(ERROR),
        )


def line(path: str, reported: Line) -> str:
    """Returns a line of the report, `path:7:5: look [name]: reason`, and its way out below."""
    note, place = reported.note, reported.place
    where = f"{path}:{place}" if place else path
    if note.kind == CHANGED:
        return printable(f"{where}: {note.kind}: {note.reason}")
    text = printable(f"{where}: {note.kind} [{note.code}]: {note.reason}")
    return f"{text}\n    way out: {printable(note.way_out)}" if note.way_out else text


def diff(path: str, outcome: Outcome) -> bytes:
    """Returns the change as a diff for `patch -p1` and `git apply`. Absolute paths stay."""
    prefix = ("", "") if os.path.isabs(path) else ("a/", "b/")
    before, after = (_lines(raw) for raw in (outcome.before, outcome.after))
    # git refuses "./a.py", as a search of the folder "." gives it.
    old, new = (_quoted(os.fsencode(side + os.path.normpath(path))) for side in prefix)
    return b"".join(
        part if part.endswith(b"\n") else part + b"\n\\ No newline at end of file\n"
        for part in difflib.diff_bytes(difflib.unified_diff, before, after, old, new)
    )


def summary(tally: Tally, *, written: bool) -> str:
    """Returns the last line of the report: the counts, and the speed over files without a loss."""
    verb = "changed" if written else "to change"
    passed = tally.files - tally.parsed
    speed = f" ({passed / tally.reading:,.0f} files/s)" if tally.reading > 0 and passed else ""
    return (
        f"{_count(tally.files, 'file')}: {tally.changed:,} {verb}, "
        f"{_count(tally.looks, 'place')} to look at, {_count(tally.errors, 'error')}; "
        f"{passed:,} name no loss and were passed over in {tally.reading:.2f} s{speed}, "
        f"{tally.parsed:,} parsed in {tally.parsing:.2f} s"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _quoted(name: bytes) -> bytes:
    """Returns a name as git writes it: quoted, if it holds a control character."""
    if not _UNSAFE.search(name):
        return name + b"\t" if b" " in name else name  # The tab ends it, for patch.
    return b'"%s"' % _UNSAFE.sub(lambda match: b"\\%03o" % match[0][0], name)


def _lines(raw: bytes) -> list[bytes]:
    """Splits at LF alone: a lone CR is part of its line."""
    parts = raw.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
