"""A count of the files on a terminal, and nothing anywhere else."""

from __future__ import annotations

import sys
import time

_SECONDS = 0.1  # between one sight of the count and the next
_ERASE = "\r\x1b[K"


class Counter:
    """Counts files on the standard error, where that is a terminal.

    One line, by hand: report and diff go to the same terminal, and a progress bar that redraws
    itself would wrap or overwrite them.
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
        """Makes way for a line of something else."""
        if self._shown:
            self._shown = False
            print(_ERASE, end="", file=sys.stderr, flush=True)
