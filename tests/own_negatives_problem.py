"""A small problem in which each row has candidates of its own."""

import functools

import numpy as np

from tests.composed_problem import B, case
from tests.problems import Problem

S = 6


class OwnNegatives(Problem):
    """A problem whose candidates are `[B, S]`."""

    @property
    def arguments(self):
        return {**super().arguments, "num_sampled": self.sampled.shape[1]}


@functools.lru_cache
def own():
    """Rows without a hit, with one, with copies of one, and with hits of both labels."""
    p = case()
    sampled = np.array(
        [[0, 1, 3, 4, 6, 6], [7, 5, 0, 0, 1, 2], [8, 0, 8, 6, 8, 1], [1, 4, 4, 0, 7, 3]], np.int64
    )
    counts = np.random.RandomState(3).uniform(0.1, 2, (B, S)).astype("f")
    return OwnNegatives(*p._replace(sampled=sampled, sampled_count=counts))
