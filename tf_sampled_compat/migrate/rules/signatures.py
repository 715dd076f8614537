"""The signatures of this package's losses: parameters in order, and the default strategy.

`compute_sampled_logits`, which the losses are made of, counts as one of them here.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

PACKAGE = "tf_sampled_compat"

_CANDIDATES = "num_true sampled_values remove_accidental_hits"
_V2 = f"weights biases labels inputs num_sampled num_classes {_CANDIDATES}"
_V0 = f"weights biases inputs labels num_sampled num_classes {_CANDIDATES}"
_LOGITS = (
    "weights biases labels inputs num_sampled num_classes num_true sampled_values subtract_log_q "
    "remove_accidental_hits partition_strategy name seed"
)
_SPARSE = (
    "weights biases labels inputs num_sampled num_classes sampled_values remove_accidental_hits "
    "partition_strategy name"
)
_RANK = (
    "weights biases labels inputs num_sampled num_resampled num_classes num_true sampled_values "
    "resampling_temperature remove_accidental_hits partition_strategy name"
)


class Signature(NamedTuple):
    """A loss's parameters in order, and its default strategy, or None if it has no default."""

    parameters: tuple[str, ...]
    strategy: Optional[str]


def _signature(parameters: str, strategy: Optional[str]) -> Signature:
    return Signature(tuple(parameters.split()), strategy)


# By namespace of this package. Tests compare the table with the package itself.
SIGNATURES = {
    "nn": {
        "sampled_softmax_loss": _signature(f"{_V2} seed name", "div"),
        "nce_loss": _signature(f"{_V2} name", "div"),
        "sampled_sparse_softmax_loss": _signature(_SPARSE, "mod"),
        "rank_sampled_softmax_loss": _signature(_RANK, "div"),
    },
    "compat.v1.nn": {
        "sampled_softmax_loss": _signature(f"{_V2} partition_strategy name seed", "mod"),
        "nce_loss": _signature(f"{_V2} partition_strategy name", "mod"),
        "compute_sampled_logits": _signature(_LOGITS, "mod"),
    },
    "compat.v0.nn": {
        "sampled_softmax_loss": _signature(f"{_V0} partition_strategy name", "mod"),
        "nce_loss": _signature(f"{_V0} partition_strategy name", "mod"),
    },
    "contrib.nn": {
        "sampled_sparse_softmax_loss": _signature(_SPARSE, "mod"),
        "rank_sampled_softmax_loss": _signature(_RANK, None),
    },
}
# The names of all losses.
FUNCTIONS = frozenset(name for held in SIGNATURES.values() for name in held)
