"""Checks of what is neither a tensor nor a count."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.scalars import described
from tf_sampled_compat.core.arguments.scalars import name as name_of_operation

STRATEGIES = ("div", "mod")


def sampler(value: Any, free: bool) -> None:
    """Checks a sampler, which must not come together with `sampled_values`.

    `free` says whether `sampled_values` was left out.
    """
    if value is None:
        return
    if not callable(value):
        errors.fail(
            "sampler",
            "a callable with the signature of a candidate sampler (what one has returned is "
            "sampled_values)",
            repr(value),
            errors.ArgumentTypeError,
        )
    if not free:
        errors.fail("sampler, sampled_values", "one of them", "both")


def partition_strategy(value: Any) -> str:
    """Checks a partition strategy, even where a table of one piece does not need it."""
    if not isinstance(value, str) or value not in STRATEGIES:
        errors.fail("partition_strategy", "'div' or 'mod'", described(value))
    return value


def misplaced_arguments(name: Any, seed: Any) -> None:
    """Checks a name, and detects a call for another signature: a strategy in `name` or `seed`."""
    if isinstance(seed, str) and seed not in STRATEGIES:
        errors.fail("seed", "an integer or None", repr(seed), errors.ArgumentTypeError)
    for argument, value in (("name", name), ("seed", seed)):
        if isinstance(value, str) and value in STRATEGIES:
            errors.fail(
                argument,
                "no partition strategy: positional arguments were written for another TensorFlow's "
                "signature (TF 1 has partition_strategy before name); pass "
                f"partition_strategy={value!r} by keyword",
                repr(value),
            )
    name_of_operation(name)


def unigram_weights(weights: Iterable[float], source: str) -> None:
    """Checks the weights of a fixed unigram sampler. TensorFlow accepts any number."""
    for weight in weights:
        if not (weight >= 0 and math.isfinite(weight)):
            errors.fail(source, "finite weights that are not negative", weight)
