"""Mirrors `keras.layers`: the output layer for many classes."""

from tf_sampled_compat.keras.family import FAMILY
from tf_sampled_compat.keras_common import sampled_dense
from tf_sampled_compat.keras_common.binding import bind

__all__ = ["SampledDense"]

_BASE = FAMILY.keras.layers.Layer

SampledDense = bind(sampled_dense.SampledDense, _BASE, FAMILY, "layers")
