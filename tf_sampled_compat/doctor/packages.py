"""Which installed distributions bring a module, and their versions.

A module and its distribution may have different names: tf-nightly and tensorflow-cpu bring
`tensorflow`, keras-nightly brings `keras`.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable

# The usual names, for Python 3.9 and 3.10, which do not know the modules of every distribution.
_USUAL = {
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu"),
    "keras": ("keras", "keras-nightly"),
    "tf_keras": ("tf_keras", "tf_keras-nightly"),
}


def installed(module: str) -> dict[str, str]:
    """Returns the version of each installed distribution that brings a module."""
    found = {}
    for distribution in dict.fromkeys([*_USUAL[module], *_known_to_python(module)]):
        try:
            found[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def versions(module: str) -> str:
    """Returns "3.12.0", "3.13.0 (keras-nightly)", both, or "not installed"."""
    found = [
        version if distribution == module else f"{version} ({distribution})"
        for distribution, version in installed(module).items()
    ]
    return ", ".join(found) or "not installed"


def _known_to_python(module: str) -> Iterable[str]:
    if sys.version_info < (3, 10):
        return ()
    names = importlib.metadata.packages_distributions().get(module, ())
    # One spelling for each: metadata may say tf-keras where the usual name is tf_keras.
    usual = {_plain(name): name for name in _USUAL[module]}
    return [usual.get(_plain(name), name) for name in names]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
