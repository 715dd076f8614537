"""The `tf.contrib` that `install()` shows: `nn`, and for the rest an error with a way out."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn, Optional

from tf_sampled_compat import contrib

NAMES = ("tensorflow.contrib", "tensorflow.contrib.nn")
_PREFIXES = ("tensorflow.contrib.", "tensorflow.compat.v1.contrib.")

# Where the parts of tf.contrib went that old programs use most.
_WAYS_OUT = {
    "crf": "tensorflow_addons.text has it",
    "data": "tf.data.experimental has most of it",
    "distribute": "tf.distribute has it",
    "distributions": "tensorflow_probability has it",
    "eager": "tf itself has most of it",
    "estimator": "tf.estimator has most of it, up to TensorFlow 2.15",
    "framework": "tf_slim and tf.compat.v1.train have most of it (pip install tf_slim)",
    "image": "tf.image and tensorflow_addons.image have it",
    "layers": "tf_slim.layers and tf.compat.v1.layers have it (pip install tf_slim)",
    "learn": "tf.estimator has most of it, up to TensorFlow 2.15",
    "legacy_seq2seq": "copy it from TensorFlow 1.15; only its loops over cells are in it",
    "lookup": "tf.lookup has it",
    "losses": "tf.compat.v1.losses has most of it",
    "metrics": "tf.compat.v1.metrics has most of it",
    "opt": "tensorflow_addons.optimizers has most of it",
    "rnn": "tf.compat.v1.nn.rnn_cell and tensorflow_addons.rnn have most of it",
    "seq2seq": "tensorflow_addons.seq2seq has it",
    "slim": "pip install tf_slim; import tf_slim as slim",
    "summary": "tf.compat.v2.summary has it",
    "tensorboard": "tensorboard.plugins has it",
    "tpu": "tf.compat.v1.tpu has it",
    "training": "tf.compat.v1.train has most of it",
}


def way_out(name: str) -> str:
    """Returns the message for a part of `tf.contrib` that is not here."""
    known = _WAYS_OUT.get(name.split(".")[0], "look for it in TensorFlow 1.15, whose source has it")
    return (
        f"tf.contrib.{name} went with TensorFlow 1: {known}. "
        "Of tf.contrib, tf_sampled_compat brings back nn only"
    )


def _message(name: str) -> str:
    return _held(name[len("nn.") :]) if name.startswith("nn.") else way_out(name)


def _held(name: str) -> str:
    held = ", ".join(contrib.nn.__all__)
    return f"tf.contrib.nn of TensorFlow 1.15 has no public {name!r}; it has {held}"


class Finder:
    """Finds `tensorflow.contrib` and its `nn` for `import`, and says of the rest where it went.

    It stands last on `sys.meta_path`: whatever else provides a `tensorflow.contrib.x` comes first.
    """

    def __init__(self):
        self._modules: dict[str, ModuleType] = {}

    def module(self) -> ModuleType:
        """Returns `tensorflow.contrib`, the same one each time, with today's functions in it."""
        for name in reversed(NAMES):
            if name not in self._modules:
                self._modules[name] = importlib.util.module_from_spec(self._spec(name))
            self.exec_module(self._modules[name])
        return self._modules[NAMES[0]]

    def _spec(self, name: str) -> importlib.machinery.ModuleSpec:
        loader: Any = self  # It has a loader's methods, and needs no base class for them.
        return importlib.machinery.ModuleSpec(name, loader, is_package=True)

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]] = None, target: Any = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """Implements `importlib.abc.MetaPathFinder`."""
        if fullname in NAMES:
            return self._spec(fullname)
        for prefix in _PREFIXES:
            if fullname.startswith(prefix):
                # With the name set, `from tensorflow.contrib import x` would drop the message.
                raise ModuleNotFoundError(_message(fullname[len(prefix) :]))
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        """Implements `importlib.abc.Loader`."""
        return self._modules.get(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Implements `importlib.abc.Loader`; `importlib.reload` comes here too."""
        if module.__name__ == NAMES[0]:
            module.__doc__ = "`tf.contrib` as far as tf_sampled_compat brings it back: `nn`."
            vars(module).update(__all__=["nn"], nn=self._modules[NAMES[1]])
            module.__getattr__ = _no_part
            return
        module.__doc__ = contrib.nn.__doc__
        vars(module).update(__all__=list(contrib.nn.__all__))
        module.__getattr__ = _no_name
        for name in contrib.nn.__all__:
            setattr(module, name, getattr(contrib.nn, name))

    def place(self) -> None:
        """Puts itself on `sys.meta_path`, once."""
        if self not in sys.meta_path:
            sys.meta_path.append(self)

    def remove(self) -> None:
        """Takes itself off `sys.meta_path`."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def _no_part(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(f"module 'tensorflow.contrib' has no attribute '{name}'")
    raise AttributeError(way_out(name))


def _no_name(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(f"module 'tensorflow.contrib.nn' has no attribute '{name}'")
    raise AttributeError(_held(name))
