"""Checks of arguments. `errors` makes the messages.

A check that needs values returns assertions, to be put before what relies on them.
"""

from tf_sampled_compat.core.arguments.checks.class_ids import class_id_limit, ids_in_range
from tf_sampled_compat.core.arguments.checks.composition import label_weights, margin, number
from tf_sampled_compat.core.arguments.checks.options import (
    STRATEGIES,
    misplaced_arguments,
    partition_strategy,
    sampler,
    unigram_weights,
)
from tf_sampled_compat.core.arguments.checks.resampling import resampling_sizes, temperature
from tf_sampled_compat.core.arguments.checks.sampled_values import (
    POSITIVE_COUNTS,
    broadcasts,
    positive_count,
    sampled_candidates,
    three_values,
)
from tf_sampled_compat.core.arguments.checks.sizes import (
    at_most,
    integer,
    known_size,
    size_attribute,
    whole_counts,
)
from tf_sampled_compat.core.arguments.checks.tensors import (
    dim,
    kind,
    labels_and_inputs,
    numbers_only,
    same_batch,
    shapes,
    width,
)

__all__ = [
    "POSITIVE_COUNTS",
    "STRATEGIES",
    "at_most",
    "broadcasts",
    "class_id_limit",
    "dim",
    "ids_in_range",
    "integer",
    "kind",
    "known_size",
    "label_weights",
    "labels_and_inputs",
    "margin",
    "misplaced_arguments",
    "number",
    "numbers_only",
    "partition_strategy",
    "positive_count",
    "resampling_sizes",
    "same_batch",
    "sampled_candidates",
    "sampler",
    "shapes",
    "size_attribute",
    "temperature",
    "three_values",
    "unigram_weights",
    "whole_counts",
    "width",
]
