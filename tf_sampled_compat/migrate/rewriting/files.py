"""Migrates one file, notebook or stream: returns its new bytes and the report on it."""

from __future__ import annotations

from typing import NamedTuple

from tf_sampled_compat.migrate.code import edits, lines
from tf_sampled_compat.migrate.code.parsing import TooDeepError
from tf_sampled_compat.migrate.code.source import Source, UndecodableError
from tf_sampled_compat.migrate.notes import CHANGED, ERROR, Note
from tf_sampled_compat.migrate.rewriting import notebook, python


class Line(NamedTuple):
    """A line of the report: a note and its place, `7:5`, `cell 2:7:5`, or "" for the whole file."""

    note: Note
    place: str


class Outcome(NamedTuple):
    """A file before and after, and the report on it.

    Attributes:
      before: Its bytes.
      after: Its bytes after the rewriting.
      report: The changes, the places that a person must look at, and the errors.
    """

    before: bytes
    after: bytes
    report: list[Line]


def migrate(raw: bytes, era: str, *, is_notebook: bool, may_change: bool = True) -> Outcome:
    """Migrates a file. It never raises: one bad file must not stop the others.

    Args:
      raw: The file's bytes.
      era: "0.x", "1.x" or "2.x": the TensorFlow that it was written for.
      is_notebook: Whether it is a Jupyter notebook.
      may_change: Whether it may be rewritten. False for files of TensorFlow and of this package.
    """
    try:
        outcome = _notebook(raw, era) if is_notebook else _source(raw, era)
    except (UndecodableError, notebook.NotANotebookError) as error:
        return failed(raw, "undecodable", str(error), "fix it, then run again")
    except (TooDeepError, RecursionError):
        way_out = "migrate the calls by hand, or move them to a file of their own"
        return failed(raw, "unparsable", "nested too deeply to parse", way_out)
    except Exception as error:  # A bug in migrate must not stop the other files.
        return failed(
            raw, "internal", f"migrate failed on it: {type(error).__name__}: {error}",
            "migrate it by hand, and report this",
        )  # fmt: skip
    if not may_change:
        errors = [line for line in outcome.report if line.note.kind == ERROR]
        return Outcome(raw, raw, errors)
    return outcome


def failed(raw: bytes, code: str, reason: str, way_out: str = "") -> Outcome:
    """Returns the outcome of a file that an error leaves as it is."""
    return Outcome(raw, raw, [Line(Note(ERROR, code, 0, 0, reason, way_out), "")])


def _source(raw: bytes, era: str) -> Outcome:
    source = Source(raw)
    found = python.examine(source, era)
    after = source.encode(edits.apply(source.code, found.edits))
    report = []
    for note in found.notes:
        line, column = lines.position(source.code, note.start)
        report.append(Line(note, f"{line}:{column}"))
    return _checked(raw, after, report)


def _notebook(raw: bytes, era: str) -> Outcome:
    after, notes = notebook.examine(raw, era)
    return _checked(raw, after, [Line(note, place) for note, place in notes])


def _checked(raw: bytes, after: bytes, report: list[Line]) -> Outcome:
    """Checks that the bytes and the report agree on whether anything changed."""
    says_so = any(line.note.kind == CHANGED for line in report)
    if says_so != (after != raw):
        raise AssertionError("the report and the bytes disagree about a change")
    return Outcome(raw, after, report)
