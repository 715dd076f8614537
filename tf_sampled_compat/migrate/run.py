"""Goes through the files one by one: reads, rewrites and reports each."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional, TextIO

from tf_sampled_compat.cli import exit_codes
from tf_sampled_compat.migrate.finding import discovery, reading
from tf_sampled_compat.migrate.notes import CHANGED, ERROR, Note
from tf_sampled_compat.migrate.output import progress, report, writing
from tf_sampled_compat.migrate.rewriting import files

_STDIN_NAME = "<stdin>"


class _Done(NamedTuple):
    """A file that has been looked at.

    Attributes:
      entry: Its path, and where it was found.
      outcome: What became of it, or None if it mentions no loss.
      parsed: Whether it was parsed.
      seconds: The time it took.
    """

    entry: discovery.Entry
    outcome: Optional[files.Outcome]
    parsed: bool
    seconds: float


def run(paths: Sequence[str], *, era: str, mode: str) -> int:
    """Migrates files and folders, or the standard input.

    A diff, or the migrated standard input, is all that the standard output holds; the report then
    goes to the standard error. Without either, the report goes to the standard output.

    Args:
      paths: Files and folders; or "-" alone, the standard input.
      era: "0.x", "1.x" or "2.x": the TensorFlow that the code was written for.
      mode: "diff", "write" or "check".

    Returns:
      The exit code: 1 after an error, or in mode "check" if anything remains; else 0.
    """
    tally = report.Tally()
    streamed = list(paths) == [discovery.STDIN]
    report_to = sys.stderr if mode == "diff" or (streamed and mode == "write") else sys.stdout
    counter = progress.Counter()
    for entry, outcome, parsed, seconds in _stdin(era) if streamed else _files(paths, era):
        counter.advance()
        tally = tally.timed(parsed=parsed, seconds=seconds)
        if outcome is None:
            continue
        if outcome.report or outcome.after != outcome.before:
            counter.clear()
        if mode == "write" and streamed:
            _print_bytes(outcome.after)
        elif mode == "write" and outcome.after != outcome.before:
            outcome = _write(entry, outcome)
        elif mode == "diff" and outcome.after != outcome.before:
            _print_bytes(report.diff(entry.path, outcome))
        for line in outcome.report:
            _print(report.line(entry.path, line), report_to)
        tally = tally.add(outcome)
    counter.clear()
    _print(report.summary(tally, written=mode == "write"), report_to)
    remains = tally.changed or tally.looks
    failed = tally.errors or (mode == "check" and remains)
    return exit_codes.FAILED if failed else exit_codes.OK


def _files(paths: Sequence[str], era: str) -> Iterator[_Done]:
    """Migrates files; see `_file`."""
    started = time.perf_counter()
    for entry in discovery.files(paths):
        outcome, parsed = _file(entry, era)
        yield _Done(entry, outcome, parsed, time.perf_counter() - started)
        started = time.perf_counter()


def _file(entry: discovery.Entry, era: str) -> tuple[Optional[files.Outcome], bool]:
    """Returns a file's outcome, None if it mentions no loss, and whether it was parsed."""
    if entry.error:
        return files.failed(b"", "unreadable", entry.error), False
    try:
        raw = reading.read(entry.path)
    except reading.UnreadableError as error:
        return files.failed(b"", "unreadable", str(error)), False
    if not raw:
        return None, False
    outcome = files.migrate(
        raw,
        era,
        is_notebook=entry.path.endswith(".ipynb"),
        may_change=not discovery.defines_the_losses(entry.path),
    )
    return outcome, True


def _stdin(era: str) -> Iterator[_Done]:
    raw = sys.stdin.buffer.read()
    started = time.perf_counter()
    is_notebook = raw.lstrip().startswith(b"{") and b'"cells"' in raw
    outcome = files.migrate(raw, era, is_notebook=is_notebook)
    yield _Done(discovery.Entry(_STDIN_NAME), outcome, True, time.perf_counter() - started)


def _write(entry: discovery.Entry, outcome: files.Outcome) -> files.Outcome:
    """Writes a file. If that fails the file is unchanged, and the outcome says so."""
    if entry.leaves:
        reason = f"a link out of {entry.found_in}; left as it is"
        return _not_written(
            outcome, reason, f"name the file itself: {os.path.realpath(entry.path)}"
        )
    try:
        writing.write(entry.path, outcome.before, outcome.after)
    except writing.NotWrittenError as error:
        return _not_written(outcome, str(error))
    return outcome


def _not_written(outcome: files.Outcome, reason: str, way_out: str = "") -> files.Outcome:
    looks = [line for line in outcome.report if line.note.kind != CHANGED]
    note = Note(ERROR, "not-written", 0, 0, reason, way_out)
    return files.Outcome(outcome.before, outcome.before, [*looks, files.Line(note, "")])


def _print(text: str, stream: TextIO) -> None:
    # Paths and code may hold characters that the stream cannot encode.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)


def _print_bytes(raw: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()
