"""Median times of contenders that take turns, so that a slow moment of the machine hits all."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

import numpy as np

# A round has turns of the contenders, then turns of the floor. The threads of a BLAS spin for a
# while after a product and would slow down the next contender: so the floor runs apart and pauses.
_ROUNDS = 3
_PAUSE = 0.06
# A turn is a few runs in a row, as in training. The first run is not timed: it finds the caches
# full of another contender's numbers.
_RUNS = 4


class Effort(NamedTuple):
    """How much to measure.

    Attributes:
      quick: Whether to measure tiny shapes only.
      repeats: The least number of turns of each contender.
      seconds: The least time to spend on a cell.
    """

    quick: bool
    repeats: int
    seconds: float


class Contender(NamedTuple):
    """Something to time.

    Attributes:
      name: The key of its median.
      run: Does the work and returns when it is done.
      feed: Makes the arguments of a run, untimed.
    """

    name: str
    run: Callable[..., Any]
    feed: Callable[[], Sequence[Any]] = tuple


def medians(
    contenders: Sequence[Contender], effort: Effort, *, floors: Sequence[Contender] = ()
) -> dict[str, float]:
    """Returns the medians in ms by name; "floor" is the least median of the floors."""
    for contender in contenders:
        for _ in range(2):  # The first run traces, the second may still allocate.
            contender.run(*contender.feed())
    rounds = min(_ROUNDS, effort.repeats)
    repeats, seconds = math.ceil(effort.repeats / rounds), effort.seconds / rounds
    samples: dict[str, list[float]] = {}
    for _ in range(rounds):
        _take_turns(contenders, repeats, seconds, samples)
        for floor in floors:
            floor.run()
            _take_turns([floor], repeats, seconds / 6, samples)
            time.sleep(_PAUSE)
    ms = {name: 1e3 * float(np.median(times)) for name, times in samples.items()}
    if floors:
        ms["floor"] = min(ms.pop(floor.name) for floor in floors)
    return ms


def _take_turns(
    contenders: Sequence[Contender], repeats: int, seconds: float, samples: dict[str, list[float]]
) -> None:
    end, turns = time.perf_counter() + seconds, 0
    while turns < repeats or time.perf_counter() < end:
        for contender in contenders:
            times = [_time(contender) for _ in range(1 + _RUNS)]
            samples.setdefault(contender.name, []).extend(times[1:])
        turns += 1


def _time(contender: Contender) -> float:
    arguments = contender.feed()
    start = time.perf_counter()
    contender.run(*arguments)
    return time.perf_counter() - start


def geometric_mean(ratios: Sequence[float]) -> float:
    """Returns the geometric mean, in which 2 and 1/2 cancel out."""
    return float(np.exp(np.mean(np.log(ratios))))
