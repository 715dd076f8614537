"""Puts a checkpoint in its place: at any moment there is the old one or the new one, whole.

A checkpoint is an index and data files. The index holds the number of data files, which is part of
their names. The new data files get names that no file has, and only the index is replaced, last.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator

from tf_sampled_compat.core import locks

_TEMPORARY = ".reshard-"


def same(one: str, other: str) -> bool:
    """Whether two prefixes name one checkpoint, or share a file."""
    if _real(one) == _real(other):
        return True
    pairs = ((a, b) for a in _files(one) for b in _files(other))
    return any(os.path.samefile(a, b) for a, b in pairs)


def free_count(target: str, least: int) -> int:
    """Returns the lowest number of data files, from `least`, with which no name is taken."""
    taken = {count for _, count in _data_files(target)}
    while least in taken:
        least += 1
    return least


def put(made: str, target: str, count: int) -> None:
    """Moves a checkpoint's files to another prefix in the place of what is there.

    Args:
      made: The prefix of the checkpoint, on the file system of `target`.
      target: The prefix to move it to.
      count: The number of data files that its index states, from `free_count`. If there are fewer,
        as no tensor is in the others, empty files stand for them.
    """
    folder = os.path.dirname(target) or "."
    sources = [path for path, _ in sorted(_data_files(made))]
    for number in range(len(sources), count):
        sources.append(f"{made}.none-{number}")
        open(sources[-1], "xb").close()
    for path in [*sources, f"{made}.index"]:
        _sync(path)
    for number, path in enumerate(sources):
        os.rename(path, f"{target}.data-{number:05d}-of-{count:05d}")
    _sync(folder)  # The index must not reach the disk before the names that it relies on.
    os.replace(f"{made}.index", f"{target}.index")
    _sync(folder)
    for path, stated in _data_files(target):
        if stated != count:
            os.unlink(path)


@contextlib.contextmanager
def folder_beside(target: str) -> Iterator[str]:
    """Makes an empty folder on the file system of `target`, and removes it at the end.

    It also removes those that killed processes left: nobody holds their lock.
    """
    parent = os.path.dirname(target) or "."
    os.makedirs(parent, exist_ok=True)
    with contextlib.ExitStack() as held:
        with alone(target):  # A folder is made and locked before another process sees it.
            for name in os.listdir(parent):
                if name.startswith(_TEMPORARY):
                    _remove_if_left(os.path.join(parent, name))
            folder = tempfile.mkdtemp(prefix=_TEMPORARY, dir=parent)
            held.enter_context(locks.locked(folder))
            held.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


@contextlib.contextmanager
def alone(target: str) -> Iterator[None]:
    """Makes processes that change the folder of `target` wait for each other."""
    with locks.locked(os.path.realpath(os.path.dirname(target))):
        yield


def _remove_if_left(folder: str) -> None:
    with contextlib.suppress(OSError), locks.locked(folder, wait=False) as left:
        if left:
            shutil.rmtree(folder, ignore_errors=True)


def _real(prefix: str) -> str:
    return os.path.join(os.path.realpath(os.path.dirname(prefix)), os.path.basename(prefix))


def _files(prefix: str) -> list[str]:
    """Returns the existing files of a checkpoint, also of one in TensorFlow 0.x's format."""
    paths = [prefix, f"{prefix}.index", *(path for path, _ in _data_files(prefix))]
    return [path for path in paths if os.path.isfile(path)]


def _data_files(prefix: str) -> list[tuple[str, int]]:
    """Returns the paths of a checkpoint's data files, each with the number that its name states."""
    folder, name = os.path.split(prefix)
    named = re.compile(rf"{re.escape(name)}\.data-\d{{5,}}-of-(\d{{5,}})")
    try:
        matches = [named.fullmatch(other) for other in os.listdir(folder or ".")]
    except FileNotFoundError:
        return []
    return [(os.path.join(folder, match[0]), int(match[1])) for match in matches if match]


def _sync(path: str) -> None:
    if os.name == "nt" and os.path.isdir(path):
        return  # Windows has no such call for folders.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
