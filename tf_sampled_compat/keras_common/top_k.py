"""The layer that serves the classes with the highest logits."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.samplers import saving
from tf_sampled_compat.keras_common import bases, head_top_k, tied_kernel
from tf_sampled_compat.keras_common.sampled_dense import SampledDense


class TopK(bases.Layer):
    """Returns the k classes with the highest logits of a head, and their logits."""

    def __init__(
        self,
        head: Any,
        k: int = 10,
        padding_label: Optional[int] = None,
        allowed: Any = None,
        implementation: Optional[str] = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._described: Optional[tied_kernel.Described] = None
        self._head = None
        # Whether the head was made from a config. See `tied_kernel.twin_of`.
        self.has_copied_head = False
        if isinstance(head, tied_kernel.Described):
            self._described = head
        else:
            self._head = head
        if not isinstance(self.head, SampledDense):
            errors.fail("head", "a SampledDense layer", head, errors.ArgumentTypeError)
        self.k = checks.known_size("k", k)
        checks.at_most("k", self.k, self.head.num_classes)
        self.padding_label = padding_label
        self.allowed = None if allowed is None else _as_ids(allowed, self.head.num_classes)
        self.implementation = implementation
        self.supports_masking = True

    @property
    def head(self) -> Any:
        """The `SampledDense` layer whose classes are ranked."""
        return self._head if self._described is None else self._described.layer

    def build(self, input_shape: Any) -> None:
        """Makes the weights of the head, if it has none yet."""
        if not self.head.built:
            with tf.name_scope(self.head.name):
                self.head.build(input_shape)
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer. In a copied model, first finds the head that it shares."""
        if self._described is not None:
            copy = self._described.layer
            original = tied_kernel.original_of(copy, inputs)
            self.has_copied_head = original is None and not copy.built
            self._head, self._described = original or copy, None
            if self._head._described is not None:
                self._head._described.find(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def call(
        self, inputs: Any, exclude: Any = None, allowed: Any = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `(logits, ids)`, both `[..., k]`."""
        return head_top_k.find(
            self.head,
            inputs,
            self.k,
            exclude=exclude,
            padding_label=None if exclude is None else self.padding_label,
            allowed=self.allowed if allowed is None else allowed,
            implementation=self.implementation,
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Returns None: the classes found are no time steps."""
        return None

    def get_build_config(self) -> None:
        """Returns None: the layer is built when it is called, when its head is known."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Describes the layer and its head."""
        # Keras 3 numbers an object when it describes it again, and copies this config at once. So
        # the second description has the number by which a file shares the head with a layer.
        tied_kernel.serialize(self.head, self._keras)
        return {
            **super().get_config(),
            "head": tied_kernel.serialize(self.head, self._keras),
            "k": self.k,
            "padding_label": self.padding_label,
            "allowed": None if self.allowed is None else self.allowed.tolist(),
            "implementation": self.implementation,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TopK:
        """Makes a layer from the result of `get_config`."""
        head = tied_kernel.described("head", saving.entry(config, "head"), cls._keras)
        return cls(**{**config, "head": head})


def _as_ids(allowed: Any, num_classes: int) -> np.ndarray:
    """Returns the ids of the allowed classes, for a config; a mask becomes ids."""
    allowed = np.asarray(allowed)
    if allowed.dtype == bool:
        if allowed.shape != (num_classes,):
            errors.fail("allowed", f"a value for each class ({num_classes})", allowed.shape)
        return np.flatnonzero(allowed)
    if allowed.ndim != 1 or not (allowed.dtype.kind in "iu" or allowed.size == 0):
        errors.fail("allowed", "integer class ids [m] or a boolean mask [num_classes]", allowed)
    return allowed.astype(np.int64)
