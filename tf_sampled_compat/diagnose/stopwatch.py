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

    def check(self) -> None:
        """Raises `OutOfTime` if the budget is spent."""
        if self._clock() >= self._end:
            raise OutOfTime(f"the {self._seconds:g} s of the diagnosis were spent before")

    def time(self, what: str, function: Callable[[], Any]) -> float:
        """Returns the least time of several runs of a function, in seconds.

        The first run warms up; it counts only if it leaves no time for a second.

        Args:
          what: A name for the measurement.
          function: What to run.
        """
        self.check()
        end = self._clock() + _SHARE * (self._end - self._clock())
        times: list[float] = []
        while len(times) <= _MOST_RUNS:
            start = self._clock()
            function()
            times.append(self._clock() - start)
            if self._clock() >= end:
                break
        return min(times[1:] or times)
