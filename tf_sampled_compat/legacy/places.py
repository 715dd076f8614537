"""The places where legacy code looks for a loss, and the function of ours for each.

One public module of TensorFlow has several names, and one name may stand for several modules:
`tf.compat.v1` is one object until `import tensorflow.compat.v1` makes another. So each time the
places are searched anew, among TensorFlow's attributes and among the imported modules.
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
    """An attribute `name` of `module`, to be set to `value`."""

    module: ModuleType
    name: str
    value: Any


def places(era: Optional[str], contrib_module: ModuleType) -> list[Place]:
    """Returns the attributes that `install(era)` sets."""
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
    """Returns the functions for one of TensorFlow's `nn` modules, by name.

    Args:
      namespace: "tf" for `tf.nn`, "v1" for `tf.compat.v1.nn`, "v2" for `tf.compat.v2.nn`.
      era: None keeps each module's own signatures. "1.x" and "0.x" give `tf.nn` those of TensorFlow
        1 and 0.12. `tf.compat.v2.nn` always keeps TensorFlow 2's, because its name asks for them.
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
    """Returns entries for `sys.modules`: else `import` would make second, unchanged modules."""
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
    """Yields (namespace, whether the module is its `nn`, module). A module may come twice."""
    yield from _below(tf, "tf", depth=3)
    for name, module in list(sys.modules.items()):
        match = _PUBLIC.fullmatch(name)
        # Nobody looks in `tensorflow._api.v2` itself.
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
