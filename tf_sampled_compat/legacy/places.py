"""Where legacy code looks for a loss, and which of ours goes there.

TensorFlow has one public module under several names, and several modules under one: `tf.compat.v1`
is one object until `import tensorflow.compat.v1` makes another. So the places are found by walking
the attributes and by looking at what has been imported, each time.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat import compat, contrib, nn

ERAS = (None, "0.x", "1.x")

# tensorflow, tensorflow.compat.v1, tensorflow._api.v2.compat.v2.nn, tensorflow.compat.v1.compat.v1
_PUBLIC = re.compile(r"tensorflow(?:\._api\.v2)?((?:\.compat\.v[12])*)(\.nn)?")


class Place(NamedTuple):
    """An attribute to set: `value` as `name` of `module`."""

    module: ModuleType
    name: str
    value: Any


def places(era: Optional[str], contrib_module: ModuleType) -> list[Place]:
    """Returns all attributes that `install(era)` sets."""
    found: dict[tuple[int, str], Place] = {}
    for namespace, is_nn, module in _modules():
        if is_nn:
            wanted = functions(namespace, era)
        else:
            wanted = {} if namespace == "v2" else {"contrib": contrib_module}
        for name, value in wanted.items():
            found.setdefault((id(module), name), Place(module, name, value))
    return list(found.values())


def functions(namespace: str, era: Optional[str]) -> dict[str, Any]:
    """Returns what goes into a `nn`, by name.

    Args:
      namespace: "tf" for `tf.nn`, "v1" for `tf.compat.v1.nn`, "v2" for `tf.compat.v2.nn`.
      era: None if each is to keep its own signatures; "1.x" or "0.x" if `tf.nn` is to have those of
        TensorFlow 1 or 0.12. `tf.compat.v2.nn` says TensorFlow 2 in so many words, and keeps its.
    """
    if namespace == "v2" or (namespace == "tf" and era is None):
        two, contribs = nn, nn
    else:
        two, contribs = (compat.v0.nn if era == "0.x" else compat.v1.nn), contrib.nn
    return {
        "sampled_softmax_loss": two.sampled_softmax_loss,
        "nce_loss": two.nce_loss,
        "sampled_sparse_softmax_loss": contribs.sampled_sparse_softmax_loss,
        "rank_sampled_softmax_loss": contribs.rank_sampled_softmax_loss,
    }


def aliases(contrib_module: ModuleType) -> dict[str, ModuleType]:
    """Returns what `import` must find by name, or it would make a second, unchanged module."""
    v1, v2 = tf.compat.v1, tf.compat.v2
    return {
        "tensorflow.nn": tf.nn,
        "tensorflow.compat.v1": v1,
        "tensorflow.compat.v1.nn": v1.nn,
        "tensorflow.compat.v2.nn": v2.nn,
        "tensorflow.contrib": contrib_module,
        "tensorflow.contrib.nn": contrib_module.nn,
        "tensorflow.contrib.opt": contrib_module.opt,
        "tensorflow.compat.v1.contrib": contrib_module,
        "tensorflow.compat.v1.contrib.nn": contrib_module.nn,
        "tensorflow.compat.v1.contrib.opt": contrib_module.opt,
    }


def _modules() -> Iterator[tuple[str, bool, ModuleType]]:
    """Yields (namespace, whether it is that one's `nn`, module); a module may come twice."""
    yield from _below(tf, "tf", depth=3)
    for name, module in list(sys.modules.items()):
        match = _PUBLIC.fullmatch(name)
        # `tensorflow._api.v2` itself is no place that anyone looks.
        if match and isinstance(module, ModuleType) and (match[1] or match[2]):
            yield match[1][-2:] or "tf", bool(match[2]), module


def _below(root: Any, namespace: str, depth: int) -> Iterator[tuple[str, bool, ModuleType]]:
    yield namespace, False, root
    if isinstance(getattr(root, "nn", None), ModuleType):
        yield namespace, True, root.nn
    for version in ("v1", "v2") if depth else ():
        inner = getattr(getattr(root, "compat", None), version, None)
        if isinstance(inner, ModuleType):
            yield from _below(inner, version, depth - 1)
