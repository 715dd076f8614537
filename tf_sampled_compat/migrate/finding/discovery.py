"""Finds the files below a path, and knows the packages that must not be rewritten."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

STDIN = "-"
SUFFIXES = (".py", ".pyw", ".ipynb")
# Folders of other people's code inside a project. One named on the command line is searched.
_OTHERS = {"site-packages", "dist-packages", "node_modules", "__pycache__"}
# Packages that define the losses, each with a folder that tells it from another of the same name.
# Their calls of their own functions stay.
_DEFINE = {
    "tensorflow": "python/ops",
    "tensorflow_core": "python/ops",
    "tf_sampled_compat": "migrate",
}


class Entry(NamedTuple):
    """A file to look at, or a folder that could not be listed.

    Attributes:
      path: Its path.
      error: Why the folder could not be listed, or "".
      found_in: The folder on the command line below which it was found, or "" if it stands there
        itself.
    """

    path: str
    error: str = ""
    found_in: str = ""

    @property
    def leaves(self) -> bool:
        """Whether it is a link to a file that is not below the folder where it was found."""
        if not self.found_in:
            return False
        root, target = os.path.realpath(self.found_in), os.path.realpath(self.path)
        return os.path.commonpath([root, target]) != root


def files(paths: Iterable[str]) -> Iterator[Entry]:
    """Yields the Python files and notebooks of paths, each once, those of a folder sorted by name.

    Folders are searched recursively. Hidden folders, virtual environments, installed packages and
    links to folders are skipped. So are links that leave their folder, if the file is found without
    them.
    """
    found = [e for path in paths for e in (_below(path) if os.path.isdir(path) else [Entry(path)])]
    may_change = {os.path.realpath(entry.path) for entry in found if not entry.leaves}
    seen = set()
    for entry in found:
        real = os.path.realpath(entry.path)
        if real not in seen and not (entry.leaves and real in may_change):
            seen.add(real)
            yield entry


def defines_the_losses(path: str) -> bool:
    """Returns whether a file is part of TensorFlow or of this package, and so is left alone."""
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
                yield Entry(os.path.join(folder, name), found_in=root)
        while errors:
            error = errors.pop()
            yield Entry(str(error.filename), f"cannot be listed: {error.strerror}")
    for error in errors:
        yield Entry(str(error.filename), f"cannot be listed: {error.strerror}")


def _is_skipped(folder: str, name: str) -> bool:
    is_environment = os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
    return name.startswith(".") or name in _OTHERS or is_environment
