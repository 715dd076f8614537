"""Defines "slower": by a bound for each quantity, and for times by an interval of the ratio."""

from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
from numpy.typing import ArrayLike

# A counted quantity may grow by this fraction plus this amount. Ops are exact. The heap also holds
# a few blocks of the runtime. Another version of a compiler may arrange a loop differently.
BOUNDS = {
    "ops": (0.0, 0.0),
    "bytes": (0.01, 4096.0),
    "bytes at once": (0.01, 4096.0),
    "instructions": (0.01, 0.0),
}
# A time fails if even the lower end of its interval is above this.
SLOWER = 1.02
# With fewer launches, a bootstrap interval is too narrow to fail a tree.
FEWEST_LAUNCHES = 5

_CONFIDENCE = 0.95
_DRAWS = 2000

OK, GREW, SLOW, NEW, FEW = "ok", "GREW", "SLOWER", "not in the base", "too few launches"


class Row(NamedTuple):
    """A line of the table.

    Attributes:
      step: The step or kernel.
      quantity: A key of `BOUNDS`, or "ms".
      base: The figure in the base; None if it has none.
      here: The figure in this tree.
      ratio: here / base.
      interval: The 95 % interval of the ratio of times.
      verdict: "ok", "GREW", "SLOWER", "not in the base" or "too few launches".
    """

    step: str
    quantity: str
    base: Optional[float]
    here: float
    ratio: Optional[float] = None
    interval: Optional[tuple[float, float]] = None
    verdict: str = OK

    @property
    def fails(self) -> bool:
        """Whether this tree is worse than the base."""
        return self.verdict in (GREW, SLOW)


def counted(step: str, quantity: str, base: Optional[float], here: float) -> Row:
    """Judges a repeatable quantity."""
    if base is None:
        return Row(step, quantity, base, here, verdict=NEW)
    part, absolute = BOUNDS[quantity]
    grew = here > base * (1 + part) + absolute
    return Row(step, quantity, base, here, _ratio(base, here), verdict=GREW if grew else OK)


def timed(step: str, base: ArrayLike, here: ArrayLike) -> Row:
    """Judges times in seconds, `[launches][turns]`, turn by turn for the two trees."""
    ratio, low, high = interval(base, here)
    base_ms, here_ms = (1e3 * float(np.median(times)) for times in (base, here))
    if len(np.asarray(base)) < FEWEST_LAUNCHES:
        verdict = FEW
    else:
        verdict = SLOW if low > SLOWER else OK
    return Row(step, "ms", base_ms, here_ms, ratio, (low, high), verdict)


def interval(base: ArrayLike, here: ArrayLike) -> tuple[float, float, float]:
    """Returns the ratio here / base of paired times, and the ends of its bootstrap interval.

    The ratio is the geometric mean over the launches of each launch's median ratio. A launch has
    its own memory layout, which makes all its turns faster or slower. So the bootstrap draws
    launches, then turns of each.
    """
    logs = np.log(np.asarray(here, float)) - np.log(np.asarray(base, float))
    launches, turns = logs.shape
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, launches, (_DRAWS, launches, 1))
    of_each = rng.integers(0, turns, (_DRAWS, launches, turns))
    means = np.median(logs[drawn, of_each], axis=2).mean(axis=1)
    ends = np.quantile(means, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    low, high = np.exp(ends)
    return float(np.exp(np.median(logs, axis=1).mean())), float(low), float(high)


def _ratio(base: float, here: float) -> Optional[float]:
    return here / base if base else None
