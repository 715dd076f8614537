"""Defines a golden case: its fields, the losses, and the APIs that it may be recorded from.

Shape letters: B batch, T num_true, S num_sampled, R num_resampled, C num_classes, D dim.
"""

from __future__ import absolute_import, division, print_function

import collections

# An API is the public namespace of one era that a case was recorded from: "<era>/<namespace>".
TF012 = "0.12/nn"
TF115 = "1.15/nn"
TF115_CONTRIB = "1.15/contrib.nn"
TF221 = "2.21/nn"
TF221_V1 = "2.21/compat.v1.nn"
APIS = (TF012, TF115, TF115_CONTRIB, TF221, TF221_V1)
ERAS = ("0.12", "1.15", "2.21")

SOFTMAX = "sampled_softmax_loss"
NCE = "nce_loss"
SPARSE = "sampled_sparse_softmax_loss"
RANK = "rank_sampled_softmax_loss"

SAMPLERS = ("uniform", "log_uniform", "learned_unigram", "fixed_unigram", "all")
# Where negatives come from if no sampler op draws them.
FIXED, REPEATED, DEFAULT = "fixed", "repeated", "default"

Case = collections.namedtuple(
    "Case",
    [
        "name",  # unique; the arrays are seeded by it, so renaming a case changes its values
        "loss",  # one of the four names above
        "num_classes",
        "dim",
        "batch",
        "num_true",
        "num_sampled",
        "num_resampled",  # rank_sampled_softmax_loss only, else None
        "resampling_temperature",  # rank_sampled_softmax_loss only, else None
        "remove_accidental_hits",
        "shards",  # number of pieces of the table; 1 is a single variable
        "partition_strategy",  # "div" or "mod"
        "table",  # "list" (cut as the strategy reads it) or "partitioned" (PartitionedVariable)
        "biases",  # "sharded" like the table, or "whole"
        "logits",  # "small" (|logit| ~ 1) or "huge" (the largest |logit| is 60)
        "counts",  # "near" (0.05 .. 1 per class), "wide" (1e-6 .. 1 per class), "positional"
        "labels",  # "any", or "twice" (each row names its first class twice)
        "negatives",  # FIXED, REPEATED, DEFAULT or one of SAMPLERS
        "unique",  # the sampler's `unique`
        "seed",  # the op seed of whatever draws, else None
        "apis",  # the APIs that this case has golden values from
    ],
)


def era_of(api):
    """Returns the era of an API, e.g. "1.15" for "1.15/contrib.nn"."""
    return api.split("/")[0]


def is_drawn(case):
    """Returns True if an op draws the negatives, False if `sampled_values` are fixed arrays."""
    return case.negatives not in (FIXED, REPEATED)


def ties_decide(case):
    """Returns True if the loss depends on the order of equal scores.

    Copies of an id have equal scores in TAPAS's first pass. Of the kept copies, only the last one
    counts as an accidental hit. Their order is that of `top_k(sorted=False)`, which is not
    specified and differs between TensorFlow 1.15 and 2.21.
    """
    return case.loss == RANK and case.negatives == REPEATED and case.remove_accidental_hits
