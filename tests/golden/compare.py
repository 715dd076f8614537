"""Compares the results of a golden case with those of its era's TensorFlow."""

import functools

import numpy as np

from golden import cases, inputs, replay, store

# Relative to the largest |value| of an array: the difference of two float32 summation orders.
RTOL = 2e-5

golden_values = functools.lru_cache(maxsize=None)(store.read)


def assert_close(actual, expected, what):
    """Fails unless two arrays differ by at most RTOL of the largest |expected|."""
    actual = np.asarray(actual)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, not {expected.shape}"
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype}, not {expected.dtype}"
    error = np.max(np.abs(actual.astype(np.float64) - expected))
    largest = np.max(np.abs(expected))
    assert error <= RTOL * largest, f"{what}: off by {error:.3g}, largest value {largest:.3g}"


def golden_value(case, api):
    """Returns the recorded result of a case."""
    return golden_values(cases.era_of(api))[store.key(case, api)]


def assert_equals(case, outcome, expected, what, *, exact_counts=True):
    """Fails unless a `replay.Outcome` has the values, draws and gradient kinds of the record."""
    record = store.record(case, outcome)
    assert record["sparse"].tolist() == expected["sparse"].tolist(), f"{what}: gradients' kinds"
    if "sampled" in record.dtype.names:
        np.testing.assert_array_equal(record["sampled"], expected["sampled"], f"{what}: draws")
    assert set(record.dtype.names) >= set(expected.dtype.names) - set(_not_seen(outcome))
    for name in record.dtype.names:
        if name not in ("sparse", "sampled"):
            unit = 1 if exact_counts else _unit(case, name)
            assert_close(unit * record[name], unit * expected[name], f"{what}: {name}")


def _unit(case, name):
    """Returns the unit of a gradient: for expected counts, it is taken by their logarithm.

    The losses depend on log(count). In a graph, TensorFlow 2 rearranges the gradient of its sigmoid
    cross entropy, with a rounding error of 6e-8. A count of 1e-6 divides this error.
    """
    counts = {"true_gradient": "true_expected_count", "sampled_gradient": "sampled_expected_count"}
    return inputs.arrays(case)[counts[name]] if name in counts else 1


def _not_seen(outcome):
    """Returns the parts of a record that cannot be seen here: draws show only in a graph."""
    return () if outcome.drawn else replay.SAMPLED_VALUES
