"""Ctrl-C as a request to finish early and report the results so far."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Optional


class Interruption:
    """A context in which the first Ctrl-C only sets `requested`; the second stops the program.

    >>> with Interruption() as interruption:
    ...     while not interruption.requested:
    ...         signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
    """

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> Interruption:
        self._previous = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _request(self, number: int, frame: Optional[FrameType]) -> None:
        self.requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
