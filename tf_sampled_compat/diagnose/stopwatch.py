"""Measures how long a function takes, within the time that a diagnosis may take."""

from __future__ import annotations

import time
from typing import Any, Callable

_MOST_RUNS = 5
# No single measurement may take more of the time that is left.
_SHARE = 0.25


class OutOfTime(Exception):
    """No time is left for a measurement."""


class Stopwatch:
    """Measures within a budget.

    Args:
      seconds: The budget. A measurement that has begun is finished.
      clock: Returns the time in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.perf_counter):
        self._clock = clock
        self._seconds = seconds
        self._end = clock() + seconds

    def check(self, needed: float = 0.0) -> None:
        """Raises `OutOfTime` if the budget is spent, or less is left than a measurement needs.

        Args:
          needed: About how many seconds the measurement takes.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise OutOfTime(f"the {self._seconds:g} s of the diagnosis were spent before")
        if left < needed:
            raise OutOfTime(
                f"it takes about {needed:.2g} s, and {left:.2g} of the {self._seconds:g} s of the "
                "diagnosis were left"
            )

    def share(self, share: float) -> Callable[[], bool]:
        """Returns a function that says whether a share of the time that is left now is spent."""
        now = self._clock()
        end = now + share * max(self._end - now, 0.0)
        return lambda: self._clock() >= end

    def time(self, what: str, function: Callable[[], Any]) -> float:
        """Returns the least time of several runs of a function, in seconds.

        The first run warms up; it counts only if it leaves no time for a second.

        Args:
          what: A name for the measurement.
          function: What to run.
        """
        self.check()
        end = self.share(_SHARE)
        times: list[float] = []
        while len(times) <= _MOST_RUNS:
            start = self._clock()
            function()
            times.append(self._clock() - start)
            if end():
                break
        return min(times[1:] or times)
