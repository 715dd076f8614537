"""Goes through the files, one after the other: each is read, rewritten and reported."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

from tf_sampled_compat.migrate.finding import discovery, reading
from tf_sampled_compat.migrate.notes import CHANGED, ERROR, Note
from tf_sampled_compat.migrate.output import progress, report, writing
from tf_sampled_compat.migrate.rewriting import files

OK, REMAINS = 0, 1
_STDIN_NAME = "<stdin>"


def run(paths: Sequence[str], *, era: str, mode: str) -> int:
    """Migrates files and folders, or the standard input.

    The standard output holds the diff, or for the standard input the result, and nothing else;
    where there is neither, it holds the report, which else goes to the standard error.

    Args:
      paths: Files and folders; or "-" alone.
      era: "0.x", "1.x" or "2.x": the TensorFlow they were written for.
      mode: "diff", "write" or "check".

    Returns:
      1 after an error, or in "check" if anything remains; else 0.
    """
    tally = report.Tally()
    streamed = list(paths) == [discovery.STDIN]
    tells = sys.stderr if mode == "diff" or (streamed and mode == "write") else sys.stdout
    counter = progress.Counter()
    for path, outcome, parsed, seconds in _stdin(era) if streamed else _files(paths, era):
        counter.advance()
        tally = tally.timed(parsed=parsed, seconds=seconds)
        if outcome is None:
            continue
        if outcome.report or outcome.after != outcome.before:
            counter.clear()
        if mode == "write" and streamed:
            _print_bytes(outcome.after)
        elif mode == "write" and outcome.after != outcome.before:
            outcome = _write(path, outcome)
        elif mode == "diff" and outcome.after != outcome.before:
            _print_bytes(report.diff(path, outcome))
        for line in outcome.report:
            _print(report.line(path, line), tells)
        tally = tally.add(outcome)
    counter.clear()
    _print(report.summary(tally, written=mode == "write"), tells)
    remains = tally.changed or tally.looks
    return REMAINS if tally.errors or (mode == "check" and remains) else OK


def _files(paths, era: str) -> Iterator[tuple]:
    """Yields (path, outcome, whether parsed, seconds); of what does not concern us, no outcome."""
    started = time.perf_counter()
    for entry in discovery.files(paths):
        outcome, parsed = _file(entry, era)
        yield entry.path, outcome, parsed, time.perf_counter() - started
        started = time.perf_counter()


def _file(entry: discovery.Entry, era: str) -> tuple:
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


def _stdin(era: str) -> Iterator[tuple]:
    raw = sys.stdin.buffer.read()
    started = time.perf_counter()
    is_notebook = raw.lstrip().startswith(b"{") and b'"cells"' in raw
    outcome = files.migrate(raw, era, is_notebook=is_notebook)
    yield _STDIN_NAME, outcome, True, time.perf_counter() - started


def _write(path: str, outcome: files.Outcome) -> files.Outcome:
    """Writes a file; where that fails nothing of it has changed, and the report says so."""
    try:
        writing.write(path, outcome.before, outcome.after)
    except writing.NotWrittenError as error:
        looks = [line for line in outcome.report if line.note.kind != CHANGED]
        note = Note(ERROR, "not-written", 0, 0, str(error))
        return files.Outcome(outcome.before, outcome.before, [*looks, files.Line(note, "")])
    return outcome


def _print(text: str, stream) -> None:
    # Paths and code may hold what the stream's encoding has not, or no text at all.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)


def _print_bytes(raw: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()
