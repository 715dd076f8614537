"""Types of arguments, for annotations. `checks` and `tables` decide what passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Union

import numpy as np
import tensorflow as tf

TensorLike = Union[tf.Tensor, tf.Variable, np.ndarray, Sequence[Any]]
# Also Keras variables, PartitionedVariable and ShardedVariable, which have no public type.
TableLike = Union[TensorLike, Sequence[TensorLike], Any]
ScalarLike = Union[float, tf.Tensor, tf.Variable, np.ndarray]
SampledValuesLike = Sequence[TensorLike]
# Takes (true_classes, num_true, num_sampled, unique, range_max, seed=...), returns sampled values.
Sampler = Callable[..., SampledValuesLike]
