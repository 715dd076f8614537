"""Checks of arguments. `errors` makes the messages.

A check that needs values returns assertions, to be put before what relies on them.
"""

from tf_sampled_compat.core.arguments.checks.class_ids import class_id_limit, ids_in_range
from tf_sampled_compat.core.arguments.checks.composition import (
    label_weights,
    margin,
    not_negative,
)
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
    is_count,
    positive_count,
    sampled_candidates,
    three_values,
)
from tf_sampled_compat.core.arguments.checks.sizes import (
    as_array,
    at_most,
    integer,
    known_integer,
    known_size,
    size_attribute,
    whole_counts,
)
from tf_sampled_compat.core.arguments.checks.tensors import (
    dim,
    in_rows_of,
    kind,
    labels_and_inputs,
    numbers_only,
    one_dtype,
    same_batch,
    shapes,
    width,
)
from tf_sampled_compat.core.arguments.scalars import (
    described,
    flag,
    name,
    number,
    op_seed,
)

__all__ = [
    "POSITIVE_COUNTS",
    "STRATEGIES",
    "as_array",
    "at_most",
    "broadcasts",
    "class_id_limit",
    "described",
    "dim",
    "flag",
    "ids_in_range",
    "in_rows_of",
    "integer",
    "is_count",
    "kind",
    "known_integer",
    "known_size",
    "label_weights",
    "labels_and_inputs",
    "margin",
    "misplaced_arguments",
    "name",
    "not_negative",
    "number",
    "numbers_only",
    "one_dtype",
    "op_seed",
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
