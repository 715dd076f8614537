"""Counts the files on a terminal; elsewhere it prints nothing."""

from __future__ import annotations

import sys
import time

_SECONDS = 0.1  # between two prints of the count
_ERASE = "\r\x1b[K"


class Counter:
    """Counts files on the standard error, if that is a terminal.

    It is one line without a library: the report and the diff go to the same terminal, and a
    progress bar that redraws itself would overwrite them.
    """

    def __init__(self):
        self._watched = sys.stderr.isatty()
        self._files, self._shown, self._next = 0, False, time.monotonic() + _SECONDS

    def advance(self) -> None:
        """Counts a file."""
        self._files += 1
        now = time.monotonic()
        if self._watched and now >= self._next:
            self._next, self._shown = now + _SECONDS, True
            print(f"{_ERASE}{self._files:,} files", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Erases the count, so that something else can be printed."""
        if self._shown:
            self._shown = False
            print(_ERASE, end="", file=sys.stderr, flush=True)
