"""What is foreseen of a unique draw, against exact sums and draws that were made."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_sampled_compat.core.samplers import pieces, reach


def log_uniform(range_max):
    k = np.arange(range_max)
    return np.log1p(1 / (k + 1)) / math.log1p(range_max)


@pytest.mark.parametrize("range_max", [1, 2, 3, 4095, 4096, 4097, 5000, 10**6])
@pytest.mark.parametrize("tries", [1, 1000, 10**8])
def test_groups_stand_for_all_classes(range_max, tries):
    for groups, p in (
        (reach.uniform(range_max), np.full(range_max, 1 / range_max)),
        (reach.log_uniform(range_max), log_uniform(range_max)),
    ):
        assert groups.size.sum() == range_max
        assert math.isclose(groups.probability @ groups.size, 1, rel_tol=1e-12)
        with np.errstate(divide="ignore"):
            missed = np.exp(tries * np.log1p(-p))
        mean, variance = groups.missing(tries)
        assert math.isclose(mean, missed.sum(), rel_tol=2e-3, abs_tol=1e-12)
        assert math.isclose(variance, (missed * (1 - missed)).sum(), rel_tol=5e-3, abs_tol=1e-12)


def test_the_largest_range():
    groups = reach.log_uniform(2**53)
    assert groups.size.sum() == 2**53 and len(groups.size) < 10**4
    assert math.isclose(groups.probability @ groups.size, 1, rel_tol=1e-9)


@pytest.mark.parametrize("law", ["uniform", "log_uniform"])
def test_what_is_sure_happens_and_what_is_hopeless_does_not(law):
    """For each number of tries, of 300 draws: none contradicts the forecast."""
    range_max = 200
    groups = getattr(reach, law)(range_max)
    p = np.full(range_max, 1 / range_max) if law == "uniform" else log_uniform(range_max)
    rng = np.random.default_rng(0)
    undecided = 0
    for tries in (1, 20, 200, 1000, 5000, 60000):
        found = [len(set(rng.choice(range_max, tries, p=p))) for _ in range(300)]
        sure = [n for n in range(1, range_max + 1) if groups.are_sure(n, tries)]
        hopeless = [n for n in range(1, range_max + 1) if groups.are_hopeless(n, tries)]
        assert max(sure, default=0) <= min(found) and min(hopeless, default=999) > max(found)
        assert abs(groups.distinct(tries) - np.mean(found)) <= 1.5
        assert not set(sure) & set(hopeless)
        undecided += range_max - len(sure) - len(hopeless)
    assert 0 < undecided < 3 * range_max


def test_default_draws_fit_one_piece():
    for law in ("uniform", "log_uniform"):
        for num_sampled, range_max in ((64, 100), (8192, 10**6), (64000, 10**6), (1, 2**53)):
            assert reach.fits_one_piece(law, range_max, num_sampled)
    assert not reach.fits_one_piece("uniform", 10**6, 10**6)
    assert not reach.fits_one_piece("uniform", 2**40, pieces.PIECE + 1)


@pytest.mark.parametrize("rare", [0.5, 1e-3, 1e-8, 1e-10, 1e-15, 1e-17])
def test_weights_of_the_graph_and_of_the_program_agree(rare):
    total = 2**60
    cumulative = np.array([total - int(rare * total), total - int(rare * total), total])
    possible, _ = tf.function(reach.weighted_is_possible, jit_compile=True)(
        tf.constant(cumulative), 2
    )
    assert bool(possible) == (rare > 1e-16)
    if possible:
        reach.require_weighted(cumulative, 2)
        assert reach.weighted_is_possible(tf.constant(cumulative), 2)[0]
        return
    for check, weights in (
        (reach.require_weighted, cumulative),
        (reach.weighted_is_possible, tf.constant(cumulative)),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="at most about 1 distinct"):
            check(weights, 2)
