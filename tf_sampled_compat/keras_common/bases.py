# ruff: noqa: D102 - Keras documents these methods.
"""Declares for the type checker what the classes here use of their Keras base classes.

A class of this folder is written once for every Keras. `keras` and `tf_keras` make a subclass of it
and of the Keras class. At run time the bases here hold next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tf_sampled_compat.keras_common import ways_out

if TYPE_CHECKING:

    class Layer:
        """`keras.layers.Layer`."""

        _keras: Any
        name: str
        built: bool
        compute_dtype: Any
        activity_regularizer: Any

        # Arguments of other layers, with what to do instead.
        _refused: ClassVar[Mapping[str, str]]

        def __init__(self, **kwargs: Any) -> None: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
        def add_weight(self, **kwargs: Any) -> Any: ...
        def save_own_variables(self, store: Any) -> None: ...
        def load_own_variables(self, store: Any) -> None: ...
        def get_config(self) -> dict[str, Any]: ...

    class Loss:
        """`keras.losses.Loss`."""

        _keras: Any
        name: str | None

        def __init__(self, **kwargs: Any) -> None: ...
        def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any: ...
        def get_config(self) -> dict[str, Any]: ...

    class Mean:
        """`keras.metrics.Mean`."""

        count: Any

        def __init__(self, name: str | None = None, dtype: Any = None) -> None: ...
        def update_state(self, values: Any, sample_weight: Any = None) -> Any: ...
        def result(self) -> Any: ...
        def get_config(self) -> dict[str, Any]: ...

else:

    class Layer:
        """Refuses arguments before Python misses those of the constructor."""

        _refused = {}

        def __new__(cls, *args, **kwargs):
            ways_out.check(kwargs, cls._refused)
            return super().__new__(cls, *args, **kwargs)

    Loss = Mean = object
