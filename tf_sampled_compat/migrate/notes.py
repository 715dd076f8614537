"""The notes of the report: changes, places that a person must look at, and errors."""

from __future__ import annotations

from typing import NamedTuple

CHANGED, LOOK, ERROR = "changed", "look", "error"
# A comment with this text on a reported line of code withdraws the report.
ACCEPTED = "migrate: ok"


class Note(NamedTuple):
    """One line of the report.

    Attributes:
      kind: CHANGED, LOOK or ERROR.
      code: A short name of its subject, such as "one-hot-labels".
      start: The byte offset of the code it is about.
      end: The byte offset behind that code.
      reason: The change, or the reason to look.
      way_out: The remedy; empty for a change.
    """

    kind: str
    code: str
    start: int
    end: int
    reason: str
    way_out: str = ""


def accepted(code: bytes, note: Note) -> bool:
    """Returns whether a comment on one of the note's lines says that a person has looked."""
    first = code.rfind(b"\n", 0, note.start) + 1
    last = code.find(b"\n", note.end)
    lines = code[first : len(code) if last < 0 else last].splitlines()
    return any(ACCEPTED.encode() in line.partition(b"#")[2] for line in lines)
