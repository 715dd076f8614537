"""The audit of a sampler: what is drawn, and what is tested."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np

from tf_sampled_compat.audit.draws import GROUPS, Draws, caller, collect, state_kept
from tf_sampled_compat.audit.report import AuditReport, Check
from tf_sampled_compat.core.arguments import checks as argument_checks
from tf_sampled_compat.core.arguments import errors

# A bin of the chi-squared tests holds classes of at least so many expected draws together.
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
    r"""Draws many times, and tests the draws against the expected counts that came with them.

    Without rejection (`unique=False`) the draws of each class are tested by χ², over head, body and
    tail (thirds of the draws, classes of few expected draws together in a bin). With it, the
    candidates must be distinct, and in head, body and tail, and of each of the five classes that
    are expected most, be as many as stated: the mean excess a call is tested against its own
    scatter (Student's t), less a share of 1 % + 1 / num_sampled, by which TensorFlow's formula
    1 - (1 - p)^tries itself is off, as it conditions on the number of tries. In both, a candidate's
    count must be its class's among the true ones, equal seeds give equal draws, others other ones.

    >>> report = tsc.random.audit(tsc.random.log_uniform_candidate_sampler, num_calls=200)
    >>> report.passed
    True

    Args:
      sampler: A callable with the signature of the samplers, also one with state: its variables are
        put back afterwards.
      num_sampled: S, how many candidates a call draws.
      range_max: How many classes there are.
      num_calls: How many calls to make for each value of `unique`.
      unique: Which to audit: True, False, or None for both.
      seed: Of the draws, so that an audit can be repeated.
      stateless: Whether the sampler takes a `[2]` seed, a new one for each call.
      level: The probability that a sampler that is as it says fails, shared evenly among the tests
        (Bonferroni).
      name: The sampler's name in the report.

    Returns:
      A report that prints (`report.print()`, `str(report)`), plots (`report.plot(path)`) and is
      true if all is as stated (`report.passed`).

    Raises:
      ImportError: Without scipy.

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
    # A test for each group and one more: without rejection of the groups' masses, with it of the
    # classes that are expected most.
    alpha = level / (len(modes) * (len(GROUPS) + 1))
    found, draws = [], None
    for mode in modes:
        options = {"num_sampled": num_sampled, "range_max": range_max, "unique": mode}

        def new(seed: int, options: dict[str, Any] = options) -> Callable[[int], Any]:
            return caller(sampler, seed=seed, stateless=stateless, **options)

        with state_kept(sampler):
            draws = collect(new(seed), num_calls, range_max)
        title = f"unique={mode}: "
        found += [
            Check(title + check.name, check.passed, check.detail, check.p_value)
            for check in [
                *_validity(draws, mode, range_max),
                *(_excess(draws, alpha) if mode else _chi_squared(draws, alpha)),
                _seeds(sampler, new, seed),
            ]
        ]
    title = name or getattr(sampler, "__name__", type(sampler).__name__)
    return AuditReport(title, tuple(found), level, draws.observed, draws.expected)


def _validity(draws: Draws, unique: bool, range_max: int) -> list[Check]:
    inside = np.logical_and(draws.sampled >= 0, draws.sampled < range_max)
    positive = bool(np.all(np.isfinite(draws.expected)) and np.all(draws.expected >= 0))
    result = [
        Check("classes in range", bool(inside.all()), f"{(~inside).sum()} are not"),
        Check("counts finite, not negative", positive, "of all classes"),
        Check(
            "a candidate's count is its class's",
            draws.disagreement < 1e-4,
            f"they differ by {draws.disagreement:.1e} at most",
        ),
    ]
    if unique:
        ordered = np.sort(draws.sampled, axis=1)
        repeated = int((ordered[:, 1:] == ordered[:, :-1]).sum())
        result.append(Check("candidates distinct", repeated == 0, f"{repeated} repetitions"))
    return result


def _chi_squared(draws: Draws, alpha: float) -> list[Check]:
    """Of each group, classes against one another; and the groups against one another."""
    stats = _scipy_stats()
    result, masses = [], []
    for group, title in enumerate(GROUPS):
        mine = draws.groups == group
        observed, expected = _bins(draws.observed[mine], draws.expected[mine])
        masses.append((observed.sum(), expected.sum()))
        # The bins' total is not fixed: as many degrees of freedom as bins.
        statistic = _statistic(observed, expected)
        p_value = float(stats.chi2.sf(statistic, max(len(observed), 1)))
        detail = f"chi2 {statistic:.1f} of {len(observed)} bins, {_ratio(observed, expected)}"
        result.append(Check(f"draws of the {title}", p_value >= alpha, detail, p_value))
    observed, expected = np.array(masses).T
    statistic = _statistic(observed, expected)
    p_value = float(stats.chi2.sf(statistic, len(GROUPS) - 1))
    detail = f"chi2 {statistic:.1f}, {_ratio(observed, expected)}"
    return [*result, Check("head : body : tail", p_value >= alpha, detail, p_value)]


def _excess(draws: Draws, alpha: float) -> list[Check]:
    stats = _scipy_stats()
    num_calls, num_sampled = draws.sampled.shape
    allowed = 0.01 + 1 / num_sampled
    mean, error = draws.excess.mean(axis=0), np.full(len(draws.stated), 1e-9)
    if num_calls > 1:
        error = np.maximum(error, draws.excess.std(axis=0, ddof=1) / np.sqrt(num_calls))
    # Of few occurrences the scatter tells little; of no more than these, nothing.
    single = draws.stated[len(GROUPS) :]
    scatter = np.sqrt(np.maximum(single * (1 - single), 0) / num_calls)
    error[len(GROUPS) :] = np.maximum(error[len(GROUPS) :], scatter)
    error[len(GROUPS) :][single * num_calls < _BIN] = np.inf
    beyond = np.maximum(np.abs(mean) - allowed * draws.stated, 0.0)
    p_values = np.where(beyond > 0, 2 * stats.t.sf(beyond / error, max(num_calls - 1, 1)), 1.0)
    result = []
    for group, title in enumerate(GROUPS):
        detail = f"{(draws.stated + mean)[group]:.4g} a call, {draws.stated[group]:.4g} stated"
        p_value = float(p_values[group])
        result.append(Check(f"candidates of the {title}", p_value >= alpha, detail, p_value))
    of_first = p_values[len(GROUPS) :]
    worst = len(GROUPS) + int(np.argmin(of_first))
    p_value = min(float(np.min(of_first)) * len(of_first), 1.0)
    detail = f"{(draws.stated + mean)[worst]:.4g} a call, {draws.stated[worst]:.4g} stated"
    title = f"the {len(of_first)} most expected classes"
    return [*result, Check(title, p_value >= alpha, f"at worst {detail}", p_value)]


def _seeds(sampler: Any, new: Callable[[int], Callable[[int], Any]], seed: int) -> Check:
    def draw(seed: int) -> np.ndarray:
        with state_kept(sampler):
            call = new(seed)
            return np.stack([np.asarray(call(number)[0]) for number in range(3)])

    first, again, other = draw(seed), draw(seed), draw(seed + 1)
    faults = []
    if not np.array_equal(first, again):
        faults.append("equal seeds give other draws")
    if np.array_equal(first, other):
        faults.append("another seed gives the same draws")
    if np.array_equal(first[0], first[1]):
        faults.append("each call gives the same draws")
    return Check("seeds", not faults, ", ".join(faults) or "equal ones equal, others other draws")


def _bins(observed: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Puts classes together, the most expected first, until each bin expects enough draws."""
    order = np.argsort(-expected, kind="stable")
    observed, expected = observed[order], expected[order]
    bins = np.floor((np.cumsum(expected) - expected / 2) / _BIN).astype(np.int64)
    bins = np.where(expected >= _BIN, np.arange(len(bins)), len(bins) + bins)
    _, place = np.unique(bins, return_inverse=True)
    return np.bincount(place, observed), np.bincount(place, expected)


def _statistic(observed: np.ndarray, expected: np.ndarray) -> float:
    good = expected > 0
    if np.any(observed[~good]):  # Drawn, and stated never to be.
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
