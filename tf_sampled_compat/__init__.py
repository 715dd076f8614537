"""TensorFlow's sampled-softmax losses, in every signature TensorFlow ever gave them.

>>> import tensorflow as tf
>>> import tf_sampled_compat as tsc
>>> weights, biases = tf.zeros([50, 8]), tf.zeros([50])
>>> inputs, labels = tf.ones([2, 8]), tf.constant([[3], [7]])
>>> loss = tsc.nn.sampled_softmax_loss(weights, biases, labels, inputs, 5, 50, seed=1)
>>> loss.shape
TensorShape([2])

Namespaces mirror TensorFlow's: `nn` (TF 2), `random`, `compat.v1.nn` (TF 1), `compat.v0.nn`
(TF 0.12), `contrib.nn`, `keras` and `tf_keras`. Importing changes nothing of TensorFlow, imports no
Keras and loads no binary. A Keras that has been imported learns the names of this package's
classes, so that it can load saved models.
"""

import importlib as _importlib
import types as _types
from typing import TYPE_CHECKING as _TYPE_CHECKING

try:
    import tensorflow as _tf  # noqa: F401
except ImportError as error:
    raise ImportError(
        "tf_sampled_compat needs TensorFlow, which it leaves to you to choose: "
        "pip install tensorflow (or tensorflow-cpu, tf-nightly), "
        "or pip install 'tf_sampled_compat[tensorflow]'"
    ) from error

from tf_sampled_compat import compat, contrib, margins, nn, random
from tf_sampled_compat.core.backends.explanation import explain
from tf_sampled_compat.core.backends.library import load_ops
from tf_sampled_compat.core.backends.setting import implementation
from tf_sampled_compat.core.losses.slices import gradient_slices
from tf_sampled_compat.keras_common import stand_ins as _stand_ins
from tf_sampled_compat.legacy import install, installed, uninstall
from tf_sampled_compat.version import __version__

if _TYPE_CHECKING:
    from tf_sampled_compat import keras, tf_keras

__all__ = [
    "__version__",
    "compat",
    "contrib",
    "explain",
    "gradient_slices",
    "implementation",
    "install",
    "installed",
    "keras",
    "load_ops",
    "margins",
    "nn",
    "random",
    "tf_keras",
    "uninstall",
]

_stand_ins.register()


def __getattr__(name: str) -> _types.ModuleType:
    """Imports `keras` and `tf_keras` when they are asked for: they import Keras."""
    if name in ("keras", "tf_keras"):
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
