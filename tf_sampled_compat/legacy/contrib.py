"""The `tf.contrib` of `install()`: `nn` and `opt`, and errors that say where the rest is now."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn, Optional

from tf_sampled_compat import contrib
from tf_sampled_compat.compat.v1 import train

NAMES = ("tensorflow.contrib", "tensorflow.contrib.nn", "tensorflow.contrib.opt")
# The parts we have, and our modules for them. They are looked up late, because of reloads.
_PARTS = {"nn": lambda: contrib.nn, "opt": lambda: train}
_PREFIXES = ("tensorflow.contrib.", "tensorflow.compat.v1.contrib.")

# Where the parts of tf.contrib that old programs use most are in TensorFlow 2.21.
_ADDONS = (
    "tensorflow_addons had it, and its last release, 0.23, does not import on TensorFlow 2.21: "
    "copy what you need from its source"
)
_LEGACY_KERAS = (
    "with tf_keras installed and TF_USE_LEGACY_KERAS=1 set before TensorFlow is imported"
)
_WAYS_OUT = {
    "crf": _ADDONS,
    "data": "tf.data.experimental has most of it",
    "distribute": "tf.distribute has it",
    "distributions": "tensorflow_probability has it",
    "eager": "tf itself has most of it",
    "estimator": "tf.estimator has most of it, up to TensorFlow 2.15",
    "framework": "tf_slim and tf.compat.v1.train have most of it (pip install tf_slim)",
    "image": (
        "tf.image has some of it; tf.raw_ops.ImageProjectiveTransformV3 rotates, translates and "
        "transforms"
    ),
    "layers": (
        f"tf_slim.layers has it (pip install tf_slim); so has tf.compat.v1.layers, {_LEGACY_KERAS}"
    ),
    "learn": "tf.estimator has most of it, up to TensorFlow 2.15",
    "legacy_seq2seq": (
        "copy legacy_seq2seq/python/ops/seq2seq.py and rnn/python/ops/core_rnn_cell.py from "
        "TensorFlow 1.15's contrib, mend the import of core_rnn_cell, and write tf.stack for "
        "array_ops.stack and nest.is_nested for nest.is_sequence; their cells are "
        f"tf.compat.v1.nn.rnn_cell, {_LEGACY_KERAS}"
    ),
    "lookup": "tf.lookup has it",
    "losses": "tf.compat.v1.losses has most of it",
    "metrics": "tf.compat.v1.metrics has most of it",
    "opt": "tf.keras.optimizers and tf.compat.v1.train have some of it",
    "rnn": f"tf.compat.v1.nn.rnn_cell has most of it, {_LEGACY_KERAS}",
    "seq2seq": _ADDONS,
    "slim": "pip install tf_slim; import tf_slim as slim",
    "summary": "tf.compat.v2.summary has it",
    "tensorboard": "tensorboard.plugins has its projector (pip install tensorboard)",
    "tpu": "tf.compat.v1.tpu has it",
    "training": (
        "tf.compat.v1.train has most of it; HParams is not in TensorFlow 2, and "
        "types.SimpleNamespace can hold a program's parameters"
    ),
}


def way_out(name: str) -> str:
    """Returns the message for a part of `tf.contrib` that we do not have."""
    known = _WAYS_OUT.get(name.split(".")[0], "look for it in TensorFlow 1.15, whose source has it")
    return (
        f"tf.contrib.{name} went with TensorFlow 1: {known}. "
        "Of tf.contrib, tf_sampled_compat brings back nn, and LazyAdamOptimizer of opt"
    )


def _message(name: str) -> str:
    part, _, inner = name.partition(".")
    return _missing(part, inner) if inner and part in _PARTS else way_out(name)


def _missing(part: str, name: str) -> str:
    """Returns the message for a missing name of `nn` or `opt`."""
    if part == "opt":
        return way_out(f"opt.{name}")
    held = ", ".join(contrib.nn.__all__)
    return f"tf.contrib.nn of TensorFlow 1.15 has no public {name!r}; it has {held}"


class Finder:
    """Finds `tensorflow.contrib`, its `nn` and its `opt` for `import`.

    For other parts it raises an error that says where they are now. It is last on `sys.meta_path`,
    so another provider of a part of `tensorflow.contrib` comes first.
    """

    def __init__(self):
        self._modules: dict[str, ModuleType] = {}

    def module(self) -> ModuleType:
        """Returns `tensorflow.contrib`, always the same module, with our current functions."""
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
                # Without `name=`: with it, `from tensorflow.contrib import x` drops the message.
                raise ModuleNotFoundError(_message(fullname[len(prefix) :]))
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        """Implements `importlib.abc.Loader`."""
        return self._modules.get(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Implements `importlib.abc.Loader`. `importlib.reload` calls it too."""
        if module.__name__ == NAMES[0]:
            module.__doc__ = "The parts of `tf.contrib` that tf_sampled_compat brings back."
            held: dict[str, Any] = {part: self._modules[f"{NAMES[0]}.{part}"] for part in _PARTS}
            vars(module).update(held, __all__=list(_PARTS), __getattr__=_no_part)
            return
        part = module.__name__.rpartition(".")[2]
        ours = _PARTS[part]()
        module.__doc__ = ours.__doc__
        held = {name: getattr(ours, name) for name in ours.__all__}
        missing = functools.partial(_no_name, part)
        vars(module).update(held, __all__=list(ours.__all__), __getattr__=missing)

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


def _no_name(part: str, name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(f"module 'tensorflow.contrib.{part}' has no attribute '{name}'")
    raise AttributeError(_missing(part, name))
