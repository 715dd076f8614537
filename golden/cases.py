"""The one registry of golden cases, shared by the generator and by the tests.

Runs unchanged on CPython 2.7, 3.7 and 3.9+, as do `case.py` and `families.py`, and imports nothing
but them and the standard library, because the generator runs inside TensorFlow 0.12.1, 1.15.5 and
2.21.0. `inputs.py` turns a case into arrays.
"""

from __future__ import absolute_import, division, print_function

import itertools

from golden import families
from golden.case import (  # noqa: F401 (what a case is made of is asked for here)
    APIS,
    DEFAULT,
    ERAS,
    FIXED,
    NCE,
    RANK,
    REPEATED,
    SAMPLERS,
    SOFTMAX,
    SPARSE,
    TF012,
    TF115,
    TF115_CONTRIB,
    TF221,
    TF221_V1,
    Case,
    era_of,
    is_drawn,
    ties_decide,
)


def all_cases():
    """Returns the tuple of every `Case`, in a fixed order with unique names."""
    members = (
        families.plain_cases,
        families.sharded_cases,
        families.whole_bias_cases,
        families.partitioned_cases,
        families.sparse_cases,
        families.rank_cases,
        families.edge_cases,
        families.repeated_cases,
        families.sampler_cases,
        families.default_sampler_cases,
    )
    return tuple(itertools.chain.from_iterable(family() for family in members))


def pairs(era=None):
    """Yields (case, api) for every golden value, optionally of one era only."""
    for case in all_cases():
        for api in case.apis:
            if era is None or era_of(api) == era:
                yield case, api
