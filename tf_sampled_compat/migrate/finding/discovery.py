"""Which files a path stands for, and which are nobody's to rewrite."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

STDIN = "-"
SUFFIXES = (".py", ".pyw", ".ipynb")
# Others' code inside a project. Named on the command line it is searched all the same.
_OTHERS = {"site-packages", "dist-packages", "node_modules", "__pycache__"}
# Packages that define the losses; where they call each other is their own affair.
_DEFINE = {
    "tensorflow": "python/ops",
    "tensorflow_core": "python/ops",
    "tf_sampled_compat": "migrate",
}


class Entry(NamedTuple):
    """A file to look at, or an error where a folder could not be listed."""

    path: str
    error: str = ""


def files(paths: Iterable[str]) -> Iterator[Entry]:
    """Yields the files of paths, each once, folders' in the order of their names.

    A folder is searched for Python and notebooks all the way down, without hidden folders, virtual
    environments and installed packages, and without following links to folders.
    """
    seen = set()
    for path in paths:
        for entry in _below(path) if os.path.isdir(path) else [Entry(path)]:
            real = os.path.realpath(entry.path)
            if real not in seen:
                seen.add(real)
                yield entry


def defines_the_losses(path: str) -> bool:
    """Whether a file is part of TensorFlow, or of this package: those are left alone."""
    return _defined_in(os.path.dirname(os.path.realpath(path)))


@functools.cache
def _defined_in(folder: str) -> bool:
    place = Path(folder)
    inside = _DEFINE.get(place.name)
    if inside and (place / "__init__.py").is_file() and (place / inside).is_dir():
        return True
    return place.parent != place and _defined_in(str(place.parent))


def _below(root: str) -> Iterator[Entry]:
    errors: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not _is_skipped(folder, name))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Entry(os.path.join(folder, name))
        while errors:
            error = errors.pop()
            yield Entry(str(error.filename), f"cannot be listed: {error.strerror}")
    for error in errors:
        yield Entry(str(error.filename), f"cannot be listed: {error.strerror}")


def _is_skipped(folder: str, name: str) -> bool:
    is_environment = os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
    return name.startswith(".") or name in _OTHERS or is_environment
