"""How often each class comes, given as an array: a law that does not learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.samplers.saving import SavedSampler
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

_EXPECTED = "a [num_classes] array of numbers that are finite, not negative, and not all zero"


class Frequencies(SavedSampler):
    """P(k) ∝ the k-th number of an array.

    Attributes:
      num_classes: The number of classes; None if only the running graph knows it.
    """

    num_classes: Optional[int]

    def __init__(self, values: TensorLike, name: str = "frequencies") -> None:
        """Takes an array, or a tensor or variable, which is read at each use.

        Args:
          values: `[num_classes]` counts, or numbers in proportion to them.
          name: A name for the module.
        """
        super().__init__(name=name)
        values = private.unwrap_variable(values)
        known = None if hasattr(values, "assign") else _known(values)
        self._given, self._shares, self._tensor = values, None, None
        if known is None:
            tensor = as_tensor("frequencies", values, _EXPECTED)
            if tensor.shape.rank not in (None, 1) or not _has_numbers(tensor):
                errors.fail("frequencies", _EXPECTED, checks.kind(tensor))
            self.num_classes = size_of(values, 0)
            return
        good = known.ndim == 1 and np.isfinite(known).all() and (known >= 0).all() and known.any()
        if not good:
            errors.fail("frequencies", _EXPECTED, _described(known))
        self.num_classes = len(known)
        self._shares = known / known.sum()

    def probability(self, classes: TensorLike) -> tf.Tensor:
        """Returns P(k) of each class, float64. The classes are in range."""
        ids = as_class_ids(classes, "classes")
        if self._shares is not None:
            return tf.gather(self._constant(), ids)
        values = tf.cast(tf.convert_to_tensor(self._given), tf.float64)
        return tf.gather(values, ids) / tf.reduce_sum(values)

    def _constant(self) -> tf.Tensor:
        """Returns the array as a tensor: an eager one, which functions capture and do not copy."""
        if not (tf.executing_eagerly() or tf.inside_function()):
            return tf.constant(self._shares)
        with tf.init_scope():
            if not tf.executing_eagerly():  # A function in a graph of TensorFlow 1.
                return tf.constant(self._shares)
            if self._tensor is None:
                self._tensor = tf.constant(self._shares)
            return self._tensor

    def check_range(self, range_max: Any) -> None:
        """Raises an error unless `range_max` is the number of classes."""
        known = checks.size_attribute("range_max", range_max)
        if known is not None and self.num_classes not in (None, known):
            errors.fail("range_max", f"the number of frequencies, {self.num_classes}", known)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"values": np.asarray(tf.convert_to_tensor(self._given)).tolist()}

    def _state(self) -> dict[str, tf.Variable]:
        return {}  # What is given is in the config.

    def __reduce__(self) -> Any:
        """Describes the frequencies to `pickle` and `copy`."""
        return Frequencies, (self.get_config()["values"],)


def as_frequencies(value: Any) -> Any:
    """Returns a `LearnedUnigramSampler` as it is, and an array as `Frequencies`."""
    if isinstance(value, (LearnedUnigramSampler, Frequencies)):
        return value
    if callable(value) or isinstance(value, (str, bytes)) or value is None:
        errors.fail("frequencies", f"a LearnedUnigramSampler, or {_EXPECTED}", repr(value))
    return Frequencies(value)


def describe(frequencies: Any) -> dict[str, Any]:
    """Describes the result of `as_frequencies` as JSON; what it has learned is in checkpoints."""
    return {type(frequencies).__name__: frequencies.get_config()}


def rebuild(description: Mapping[str, Any]) -> Any:
    """Returns the frequencies that `describe` described."""
    ((name, config),) = description.items()
    return {"LearnedUnigramSampler": LearnedUnigramSampler, "Frequencies": Frequencies}[name](
        **config
    )


def _known(values: Any) -> Optional[np.ndarray]:
    """Returns the array in float64, or None for a tensor that only the running graph knows."""
    array = checks.as_array(values)
    if array is None:
        if tf.is_tensor(values):
            return None
        errors.fail("frequencies", _EXPECTED, checks.described(values), errors.ArgumentTypeError)
    if array.dtype.kind not in "iuf":
        errors.fail("frequencies", _EXPECTED, f"dtype {array.dtype}", errors.ArgumentTypeError)
    return array.astype(np.float64)


def _has_numbers(tensor: tf.Tensor) -> bool:
    return tensor.dtype.is_floating or tensor.dtype.is_integer


def _described(array: np.ndarray) -> str:
    if array.ndim != 1:
        return f"shape {array.shape}"
    bad = array[~(np.isfinite(array) & (array >= 0))]
    return str(bad[0]) if len(bad) else f"{len(array)} zeros"
