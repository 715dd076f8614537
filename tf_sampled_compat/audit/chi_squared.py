"""Tests of independent draws: of the classes within each group, and of the groups as wholes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf_sampled_compat.audit.report import Check
from tf_sampled_compat.audit.tally import GROUPS, Tally

# A bin of a chi-squared test has at least so many expected draws. A bin with fewer, which a group
# of few draws is as a whole, gets an exact test.
BIN = 50


def checks(counted: Tally, alpha: float, stats: Any) -> list[Check]:
    """Tests the draws of the classes within each group, and of the groups as wholes."""
    result, masses = [], []
    total = counted.expected.sum()
    for group, title in enumerate(GROUPS):
        mine = counted.groups == group
        impossible = counted.observed[mine & (counted.expected <= 0)].sum()
        observed, expected = bins(counted.observed[mine], counted.expected[mine])
        masses.append((observed.sum(), expected.sum()))
        # The total over the bins is not fixed, so there are as many degrees of freedom as bins.
        p_value, detail = _test(observed, expected, total, len(observed), stats)
        if impossible:
            p_value, detail = 0.0, f"{impossible:.0f} of classes that are stated to be impossible"
        detail = f"{detail}, {observed.sum():.0f} drawn, {expected.sum():.0f} stated"
        result.append(Check(f"draws of the {title}", p_value >= alpha, detail, p_value))
    observed, expected = np.array([mass for mass in masses if mass[1] > 0] or [(0.0, 0.0)]).T
    p_value, detail = _test(observed, expected, total, len(observed) - 1, stats)
    detail = f"{detail}, {observed.sum():.0f} drawn, {expected.sum():.0f} stated"
    return [*result, Check("head : body : tail", p_value >= alpha, detail, p_value)]


def bins(observed: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joins classes, highest expected count first, into bins with enough expected draws."""
    order = np.argsort(-expected, kind="stable")
    observed, expected = observed[order], expected[order]
    number = np.floor((np.cumsum(expected) - expected / 2) / BIN).astype(np.int64)
    number = np.where(expected >= BIN, np.arange(len(number)), len(number) + number)
    _, place = np.unique(number, return_inverse=True)
    observed, expected = np.bincount(place, observed), np.bincount(place, expected)
    # What is left over joins the bin before it: a draw or two would be many for a bin of its own.
    while len(expected) > 1 and expected[-1] < BIN:
        observed = np.append(observed[:-2], observed[-2:].sum())
        expected = np.append(expected[:-2], expected[-2:].sum())
    return observed, expected


def _test(
    observed: np.ndarray, expected: np.ndarray, total: float, freedom: int, stats: Any
) -> tuple[float, str]:
    """Returns a p-value, and how it was found."""
    if not len(expected) or not expected.all():
        return 1.0, "no bins"
    if expected.min() >= BIN:
        statistic = float(np.sum((observed - expected) ** 2 / expected))
        p_value = float(stats.chi2.sf(statistic, max(freedom, 1)))
        return p_value, f"chi2 {statistic:.1f} of {len(observed)} bins"
    # Exact: each bin's draws are binomial.
    chance = np.minimum(expected / total, 1.0)
    draws = np.maximum(np.rint(total), observed)
    low = stats.binom.cdf(observed, draws, chance)
    high = stats.binom.sf(observed - 1, draws, chance)
    p_values = np.minimum(2 * np.minimum(low, high), 1.0)
    return min(float(p_values.min()) * len(p_values), 1.0), f"binomial, {len(observed)} bins"
