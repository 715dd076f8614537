"""Names of this package's Keras classes, for a Keras that loads a model before they are imported.

`import tf_sampled_compat` imports no Keras. A Keras that has been imported, as TensorFlow does with
its own, gets a stand-in for each class. A stand-in imports the class when it is used, and the class
then takes its name.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

from tf_sampled_compat.keras_common.registration import PACKAGE

# What `__all__` holds in the modules of `tsc.keras`; a test compares.
CLASSES: Mapping[str, tuple[str, ...]] = {
    "layers": ("InBatchLogits", "SampledDense", "Sampler", "TopK"),
    "losses": (
        "FullSoftmax",
        "InBatchSoftmax",
        "NCE",
        "RankSampledSoftmax",
        "SampledBinaryCrossentropy",
        "SampledSoftmax",
        "SampledSparseSoftmax",
    ),
    "metrics": (
        "ExactMAP",
        "ExactMRR",
        "ExactNDCG",
        "ExactPrecisionAtK",
        "ExactRecallAtK",
        "MeanRank",
        "Perplexity",
    ),
    "optimizers": ("LazyAdagrad", "LazyAdam", "LazyAdamW", "LazySGD"),
}


def register() -> None:
    """Registers stand-ins with each Keras that has been imported and does not know the classes."""
    for namespace in ("keras", "tf_keras"):
        if namespace == "keras" and os.environ.get("TF_USE_LEGACY_KERAS") in ("true", "True", "1"):
            continue  # `tsc.keras` then belongs to tf_keras.
        utils: Any = getattr(sys.modules.get(namespace), "utils", None)
        if not hasattr(utils, "get_custom_objects"):
            continue
        known = utils.get_custom_objects()
        for module, names in CLASSES.items():
            for name in names:
                known.setdefault(f"{PACKAGE}>{name}", _stand_in(namespace, module, name))


def _stand_in(namespace: str, module: str, name: str) -> type:
    def real() -> Any:
        importlib.import_module(f"tf_sampled_compat.{namespace}")
        return getattr(importlib.import_module(f"tf_sampled_compat.{namespace}.{module}"), name)

    class StandIn:
        """Makes objects of the class whose name it has."""

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real()(*args, **kwargs)

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            """Makes an object of the class from its config."""
            return real().from_config(config)

        def get_config(self) -> dict[str, Any]:
            """Keras asks each registered class for this method. No stand-in has an object."""
            raise NotImplementedError

    StandIn.__name__ = StandIn.__qualname__ = name
    return StandIn
