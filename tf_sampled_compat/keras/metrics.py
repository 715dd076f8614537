"""Mirrors `keras.metrics`: exact rankings over all classes, streamed, in evaluation."""

from tf_sampled_compat.keras.family import FAMILY
from tf_sampled_compat.keras_common import metrics
from tf_sampled_compat.keras_common.binding import bind

__all__ = ["ExactMRR", "ExactRecallAtK", "MeanRank"]

_BASE = FAMILY.keras.metrics.Mean

ExactMRR = bind(metrics.ExactMRR, _BASE, FAMILY, "metrics")
ExactRecallAtK = bind(metrics.ExactRecallAtK, _BASE, FAMILY, "metrics")
MeanRank = bind(metrics.MeanRank, _BASE, FAMILY, "metrics")
