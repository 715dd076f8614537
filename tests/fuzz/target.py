"""A target of the fuzzer: how its inputs are drawn, and what must hold for each of them."""

from __future__ import annotations

import os
import time
import traceback
from typing import Any, Callable, NamedTuple, Optional

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st

# Inputs that Hypothesis tries with one seed before the clock is looked at again.
ROUND = 300


class Target(NamedTuple):
    """What is fuzzed.

    Attributes:
      name: Unique.
      cases: The inputs.
      check: Raises for an input that is a find.
      kept: Earlier finds: they are tried first, always.
      examples: The number of inputs in `make test`.
    """

    name: str
    cases: st.SearchStrategy
    check: Callable[[Any], None]
    kept: tuple[Any, ...] = ()
    examples: int = 50


class Count(NamedTuple):
    """What a long run of a target tried and found."""

    tried: int
    seconds: float
    finds: dict[str, str]


def run(target: Target, examples: int, seed: Optional[int] = None) -> None:
    """Tries the kept finds and then so many inputs; raises for the smallest find.

    Without a seed the inputs are always the same.
    """

    def holds(case: Any) -> None:
        target.check(case)

    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        derandomize=seed is None,
    )
    test = settings(hypothesis.given(case=target.cases)(holds))
    for case in target.kept:
        test = hypothesis.example(case=case)(test)
    if seed is not None:
        test = hypothesis.seed(seed)(test)
    test()


def run_for(target: Target, seconds: float, first_seed: int = 0) -> Count:
    """Tries inputs for so long, each round with another seed, and goes on after a find."""
    start, tried, found = time.monotonic(), 0, {}
    until, shrinking = start + seconds, False

    def check(case: Any) -> None:
        nonlocal tried, shrinking
        if time.monotonic() >= until and not shrinking:
            return
        tried += 1
        try:
            target.check(case)
        except Exception:
            shrinking = True  # Hypothesis makes a find smaller in its own time.
            raise

    seed = first_seed
    while time.monotonic() < until:
        timed = target._replace(check=check, kept=target.kept if seed == first_seed else ())
        shrinking = False
        try:
            run(timed, ROUND, seed)
        except Exception as error:
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            found.setdefault(_where(error), "".join(lines))
        seed += 1
    return Count(tried, time.monotonic() - start, found)


def _where(error: Exception) -> str:
    """Names a find by its kind and its place, so that the same one counts once."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"
