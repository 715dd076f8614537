"""The audit of a sampler, and its checks."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Callable, Optional

import numpy as np

from tf_sampled_compat.audit.report import AuditReport, Check
from tf_sampled_compat.audit.tally import GROUPS, Call, Tally, caller, restored_state, tally
from tf_sampled_compat.core.arguments import checks as argument_checks
from tf_sampled_compat.core.arguments import errors

# Each bin of the chi-squared tests has at least about so many expected draws.
_BIN = 50


def audit(
    sampler: Callable[..., Any],
    num_sampled: int = 100,
    range_max: int = 1000,
    *,
    num_calls: int = 1000,
    unique: Optional[bool] = None,
    seed: int = 1,
    stateless: bool = False,
    level: float = 1e-6,
    name: Optional[str] = None,
) -> AuditReport:
    r"""Calls a sampler many times, and tests its draws against the expected counts it states.

    Classes are divided into head, body and tail, each with a third of the expected draws.

    * `unique=False`: χ² tests compare observed and expected draws of the classes in each group, and
      of the groups. Classes with few expected draws share a bin.
    * `unique=True`: Candidates must be distinct. A t-test compares, for each group and each of the
      five classes with the highest stated counts, the mean observed count per call with the stated
      one. It allows a difference of 1 % + 1 / num_sampled, because TensorFlow's formula
      1 - (1 - p)^tries is not exact: it treats the observed number of tries as fixed.
    * Both: A candidate's stated count must equal the one of the same class as a true class. Equal
      seeds must give equal draws, and different seeds different draws.

    >>> report = tsc.random.audit(tsc.random.log_uniform_candidate_sampler, num_calls=200)
    >>> report.passed
    True

    Args:
      sampler: A callable with the signature of the samplers. If it has `variables`, they are
        restored afterwards.
      num_sampled: How many candidates each call draws.
      range_max: The number of classes.
      num_calls: How many calls to make for each value of `unique`.
      unique: Which mode to audit: True, False, or None for both.
      seed: The seed of the draws, which makes an audit reproducible.
      stateless: Whether the sampler takes a `[2]` seed. Each call then gets a new one.
      level: The probability that a correct sampler fails, divided evenly among the tests
        (Bonferroni).
      name: The sampler's name in the report.

    Returns:
      A report. `report.print()` and `str(report)` show it, `report.plot(path)` plots it, and
      `report.passed`, or the truth of the report itself, tells whether all checks passed.

    Raises:
      ImportError: If scipy is not installed.
      ValueError: If a number is not positive, or `level` is not a probability.

    Source: for the counts, https://www.tensorflow.org/extras/candidate_sampling.pdf.
    """
    for argument, value in (
        ("num_sampled", num_sampled),
        ("range_max", range_max),
        ("num_calls", num_calls),
    ):
        argument_checks.size_attribute(argument, value)
    if not 0 < level < 1:
        errors.fail("level", "a probability", repr(level))
    _scipy_stats()
    modes = (False, True) if unique is None else (unique,)
    # Each mode has a test for each group and one more: of the groups' totals with unique=False, of
    # the classes with the highest stated counts with unique=True.
    alpha = level / (len(modes) * (len(GROUPS) + 1))
    sizes = {"num_sampled": num_sampled, "range_max": range_max}
    found: list[Check] = []
    counted = None
    for mode in modes:
        new_call = functools.partial(caller, sampler, unique=mode, stateless=stateless, **sizes)
        with restored_state(sampler):
            counted = tally(new_call(seed=seed), num_calls, range_max)
        checks = [
            *_validity(counted, mode, range_max),
            *(_excess(counted, alpha) if mode else _chi_squared(counted, alpha)),
            _seeds(sampler, new_call, seed),
        ]
        found += [dataclasses.replace(c, name=f"unique={mode}: {c.name}") for c in checks]
    assert counted is not None
    title = name or getattr(sampler, "__name__", type(sampler).__name__)
    return AuditReport(title, tuple(found), level, counted.observed, counted.expected)


def _validity(counted: Tally, unique: bool, range_max: int) -> list[Check]:
    inside = np.logical_and(counted.sampled >= 0, counted.sampled < range_max)
    positive = bool(np.all(np.isfinite(counted.expected)) and np.all(counted.expected >= 0))
    result = [
        Check("classes in range", bool(inside.all()), f"{(~inside).sum()} are not"),
        Check("counts finite, not negative", positive, "of all classes"),
        Check(
            "a candidate's count is its class's",
            counted.disagreement < 1e-4,
            f"they differ by {counted.disagreement:.1e} at most",
        ),
    ]
    if unique:
        ordered = np.sort(counted.sampled, axis=1)
        repeated = int((ordered[:, 1:] == ordered[:, :-1]).sum())
        result.append(Check("candidates distinct", repeated == 0, f"{repeated} repetitions"))
    return result


def _chi_squared(counted: Tally, alpha: float) -> list[Check]:
    """Tests the draws of the classes within each group, and of the groups as wholes."""
    stats = _scipy_stats()
    result, masses = [], []
    for group, title in enumerate(GROUPS):
        mine = counted.groups == group
        observed, expected = _bins(counted.observed[mine], counted.expected[mine])
        masses.append((observed.sum(), expected.sum()))
        # The total over the bins is not fixed, so there are as many degrees of freedom as bins.
        statistic = _statistic(observed, expected)
        p_value = float(stats.chi2.sf(statistic, max(len(observed), 1)))
        detail = f"chi2 {statistic:.1f} of {len(observed)} bins, {_ratio(observed, expected)}"
        result.append(Check(f"draws of the {title}", p_value >= alpha, detail, p_value))
    observed, expected = np.array(masses).T
    statistic = _statistic(observed, expected)
    p_value = float(stats.chi2.sf(statistic, len(GROUPS) - 1))
    detail = f"chi2 {statistic:.1f}, {_ratio(observed, expected)}"
    return [*result, Check("head : body : tail", p_value >= alpha, detail, p_value)]


def _excess(counted: Tally, alpha: float) -> list[Check]:
    """Tests the mean excess per call of each group and of the most expected classes."""
    stats = _scipy_stats()
    num_calls, num_sampled = counted.sampled.shape
    allowed = 0.01 + 1 / num_sampled
    mean, error = counted.excess.mean(axis=0), np.full(len(counted.stated), 1e-9)
    if num_calls > 1:
        error = np.maximum(error, counted.excess.std(axis=0, ddof=1) / np.sqrt(num_calls))
    # Few occurrences say little about the scatter of a single class: take the binomial one if it is
    # larger, and do not test a class with fewer than _BIN expected occurrences.
    single = counted.stated[len(GROUPS) :]
    scatter = np.sqrt(np.maximum(single * (1 - single), 0) / num_calls)
    error[len(GROUPS) :] = np.maximum(error[len(GROUPS) :], scatter)
    error[len(GROUPS) :][single * num_calls < _BIN] = np.inf
    beyond = np.maximum(np.abs(mean) - allowed * counted.stated, 0.0)
    p_values = np.where(beyond > 0, 2 * stats.t.sf(beyond / error, max(num_calls - 1, 1)), 1.0)
    result = []
    for group, title in enumerate(GROUPS):
        detail = f"{(counted.stated + mean)[group]:.4g} a call, {counted.stated[group]:.4g} stated"
        p_value = float(p_values[group])
        result.append(Check(f"candidates of the {title}", p_value >= alpha, detail, p_value))
    of_first = p_values[len(GROUPS) :]
    worst = len(GROUPS) + int(np.argmin(of_first))
    p_value = min(float(np.min(of_first)) * len(of_first), 1.0)
    detail = f"{(counted.stated + mean)[worst]:.4g} a call, {counted.stated[worst]:.4g} stated"
    title = f"the {len(of_first)} most expected classes"
    return [*result, Check(title, p_value >= alpha, f"at worst {detail}", p_value)]


def _seeds(sampler: Any, new_call: Callable[..., Call], seed: int) -> Check:
    def candidates(seed: int) -> np.ndarray:
        with restored_state(sampler):
            call = new_call(seed=seed)
            return np.stack([np.asarray(call(number)[0]) for number in range(3)])

    first, again, other = (candidates(number) for number in (seed, seed, seed + 1))
    faults = []
    if not np.array_equal(first, again):
        faults.append("equal seeds give other draws")
    if np.array_equal(first, other):
        faults.append("another seed gives the same draws")
    if np.array_equal(first[0], first[1]):
        faults.append("each call gives the same draws")
    return Check(
        "seeds", not faults, ", ".join(faults) or "equal seeds equal draws, others different"
    )


def _bins(observed: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joins classes, highest expected count first, into bins with enough expected draws."""
    order = np.argsort(-expected, kind="stable")
    observed, expected = observed[order], expected[order]
    bins = np.floor((np.cumsum(expected) - expected / 2) / _BIN).astype(np.int64)
    bins = np.where(expected >= _BIN, np.arange(len(bins)), len(bins) + bins)
    _, place = np.unique(bins, return_inverse=True)
    return np.bincount(place, observed), np.bincount(place, expected)


def _statistic(observed: np.ndarray, expected: np.ndarray) -> float:
    good = expected > 0
    if np.any(observed[~good]):  # Drawn, but stated to be impossible.
        return float("inf")
    return float(np.sum((observed[good] - expected[good]) ** 2 / expected[good]))


def _ratio(observed: np.ndarray, expected: np.ndarray) -> str:
    return f"{observed.sum():.0f} drawn, {expected.sum():.0f} stated"


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError(
            "audit needs scipy: pip install scipy, or pip install 'tf_sampled_compat[audit]'"
        ) from error
    return stats
