"""Mirrors `tf_keras.losses`: sampled in training, exact in evaluation."""

from tf_sampled_compat.keras_common import losses
from tf_sampled_compat.keras_common.binding import bind
from tf_sampled_compat.tf_keras.family import FAMILY

__all__ = ["NCE", "RankSampledSoftmax", "SampledSoftmax", "SampledSparseSoftmax"]

_BASE = FAMILY.keras.losses.Loss

NCE = bind(losses.NCE, _BASE, FAMILY, "losses")
RankSampledSoftmax = bind(losses.RankSampledSoftmax, _BASE, FAMILY, "losses")
SampledSoftmax = bind(losses.SampledSoftmax, _BASE, FAMILY, "losses")
SampledSparseSoftmax = bind(losses.SampledSparseSoftmax, _BASE, FAMILY, "losses")
