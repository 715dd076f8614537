"""The audit of a sampler, and its checks."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Callable, Optional

import numpy as np

from tf_sampled_compat.audit import chi_squared
from tf_sampled_compat.audit.chi_squared import BIN
from tf_sampled_compat.audit.report import AuditReport, Check
from tf_sampled_compat.audit.tally import GROUPS, Call, Tally, caller, restored_state, tally
from tf_sampled_compat.core.arguments import checks as argument_checks
from tf_sampled_compat.core.arguments import errors

# What an audit holds: some numbers for each class, and all candidates of all calls.
_MOST_CLASSES = 2**24
_MOST_DRAWS = 2**28
# How many calls are compared at most to tell two seeds apart.
_MOST_COMPARED = 100
# With fewer calls their own scatter says little.
_FEW_CALLS = 30


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
      of the groups. Classes with few expected draws share a bin. Where even a group has few, an
      exact binomial test takes the place of χ².
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
      ValueError: If a number is not positive, or `level` is not a probability; if `range_max` is
        more than 2**24 or all calls draw more than 2**28 candidates; or if `num_sampled` is more
        than `range_max` and `unique` is not False.

    Source: for the counts, https://www.tensorflow.org/extras/candidate_sampling.pdf.
    """
    argument_checks.sampler(sampler, True)
    if sampler is None:
        errors.fail("sampler", "a candidate sampler", None, errors.ArgumentTypeError)
    num_sampled, range_max, num_calls = _sizes(num_sampled, range_max, num_calls)
    stateless = argument_checks.flag("stateless", stateless)
    unique = None if unique is None else argument_checks.flag("unique", unique)
    if unique is not False and num_sampled > range_max:
        expected = f"at most range_max = {range_max} (unique=False audits the other mode alone)"
        errors.fail("num_sampled", expected, num_sampled)
    seed = argument_checks.known_integer("seed", seed)
    if not 0 < argument_checks.number("level", level) < 1:
        errors.fail("level", "a probability", repr(level))
    argument_checks.name(name)
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
            *(
                _excess(counted, alpha)
                if mode
                else chi_squared.checks(counted, alpha, _scipy_stats())
            ),
            _seeds(sampler, new_call, seed, _coincidence(counted, mode), alpha),
        ]
        found += [dataclasses.replace(c, name=f"unique={mode}: {c.name}") for c in checks]
    assert counted is not None
    title = name or getattr(sampler, "__name__", type(sampler).__name__)
    return AuditReport(title, tuple(found), level, counted.observed, counted.expected)


def _sizes(num_sampled: Any, range_max: Any, num_calls: Any) -> tuple[int, int, int]:
    """Checks the sizes before anything is allocated."""
    classes = argument_checks.known_size("range_max", range_max)
    if classes > _MOST_CLASSES:
        expected = f"at most {_MOST_CLASSES} classes, as an audit counts each of them"
        errors.fail("range_max", expected, classes)
    sampled = argument_checks.known_size("num_sampled", num_sampled)
    calls = argument_checks.known_size("num_calls", num_calls)
    if sampled * calls > _MOST_DRAWS:
        expected = f"at most {_MOST_DRAWS} draws in all, as an audit keeps them"
        errors.fail("num_sampled, num_calls", expected, f"{sampled} * {calls}")
    return sampled, classes, calls


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


def _excess(counted: Tally, alpha: float) -> list[Check]:
    """Tests the mean excess per call of each group and of the most expected classes."""
    stats = _scipy_stats()
    num_calls, num_sampled = counted.sampled.shape
    allowed = 0.01 + 1 / num_sampled
    mean, error = counted.excess.mean(axis=0), np.full(len(counted.stated), 1e-9)
    if num_calls > 1:
        error = np.maximum(error, counted.excess.std(axis=0, ddof=1) / np.sqrt(num_calls))
    if num_calls < _FEW_CALLS:
        # By chance all calls may be alike. Classes that exclude one another scatter less than this.
        one = np.clip(counted.expected / num_calls, 0, 1)
        scatter = np.bincount(counted.groups, one * (1 - one), len(GROUPS))
        error[: len(GROUPS)] = np.maximum(error[: len(GROUPS)], np.sqrt(scatter / num_calls))
    # Few occurrences say little about the scatter of a single class: take the binomial one if it is
    # larger, and do not test a class with fewer than BIN expected occurrences.
    single = counted.stated[len(GROUPS) :]
    scatter = np.sqrt(np.maximum(single * (1 - single), 0) / num_calls)
    error[len(GROUPS) :] = np.maximum(error[len(GROUPS) :], scatter)
    error[len(GROUPS) :][single * num_calls < BIN] = np.inf
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


def _seeds(
    sampler: Any, new_call: Callable[..., Call], seed: int, coincidence: float, alpha: float
) -> Check:
    """Tests that equal seeds give equal draws, and different ones different draws.

    Few classes or candidates give equal draws by chance: with probability `coincidence` in one
    call. Then more calls are compared, or none if they would be too many.
    """
    number = 3
    while number < _MOST_COMPARED and coincidence ** (number - 1) > alpha / 1000:
        number += 1
    telling = coincidence ** (number - 1) <= alpha / 1000

    def candidates(seed: int) -> np.ndarray:
        with restored_state(sampler):
            call = new_call(seed=seed)
            return np.stack([np.asarray(call(i)[0]) for i in range(number)])

    first, again, other = (candidates(each) for each in (seed, seed, seed + 1))
    faults = []
    if not np.array_equal(first, again):
        faults.append("equal seeds give other draws")
    if telling and np.array_equal(first, other):
        faults.append("another seed gives the same draws")
    if telling and (first == first[0]).all():
        faults.append("each call gives the same draws")
    good = "equal seeds equal draws, "
    good += "others different" if telling else "others cannot be told apart: all draws are alike"
    return Check("seeds", not faults, ", ".join(faults) or good)


def _coincidence(counted: Tally, unique: bool) -> float:
    """Returns a bound of the probability that two independent calls give equal candidates."""
    num_calls, num_sampled = counted.sampled.shape
    stated = counted.expected / num_calls
    if not np.isfinite(stated).all():
        return 1.0
    if unique:  # Each class is in both or in neither; that is rarest for the one nearest to 1/2.
        chance = np.clip(stated, 0, 1)
        return float(np.min(chance**2 + (1 - chance) ** 2))
    return float(np.clip(np.sum((stated / num_sampled) ** 2), 0, 1) ** num_sampled)


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError(
            "audit needs scipy: pip install scipy, or pip install 'tf_sampled_compat[audit]'"
        ) from error
    return stats
