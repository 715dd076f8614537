"""Replaces a file's bytes: at any moment the file holds either the old ones or the new ones."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile

from tf_sampled_compat.core import locks

_SUFFIX = ".tmp"


class NotWrittenError(Exception):
    """The file could not be written, and is unchanged."""


def write(path: str, before: bytes, after: bytes) -> str:
    """Replaces a file's bytes, keeps its mode, and keeps the old file beside it.

    Args:
      path: The file. If it is a link, its target is replaced.
      before: The bytes that were read from it.
      after: The new bytes.

    Returns:
      The path of the backup: `path.bak`, or `path.bak.1` and so on if that exists.

    Raises:
      NotWrittenError: If the file is read-only, has changed since, or cannot be written.
    """
    path = os.path.realpath(path)
    try:
        return _write(path, before, after)
    except OSError as error:
        raise NotWrittenError(f"cannot be written: {error.strerror}; left as it is") from None


def _write(path: str, before: bytes, after: bytes) -> str:
    status = os.stat(path)
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise NotWrittenError("read-only; left as it is")
    folder, name = os.path.split(path)
    _remove_left(folder, name)
    # In the same folder, because a rename must not cross file systems; hidden, so that a search for
    # files skips it.
    descriptor, temporary = tempfile.mkstemp(prefix=_prefix(name), suffix=_SUFFIX, dir=folder)
    try:
        with open(descriptor, "wb") as file:
            locks.lock(descriptor, wait=False)
            file.write(after)
            file.flush()
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            with contextlib.suppress(OSError):  # Only root may change the owner.
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fsync(descriptor)
        with open(path, "rb") as file:
            if file.read() != before:
                raise NotWrittenError("changed meanwhile by someone else; left as it is")
        backup = _keep(path)
        try:
            os.replace(temporary, path)
        except OSError:
            os.unlink(backup)
            raise
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return backup


def _prefix(name: str) -> str:
    return f".{name}.migrate-"


def _remove_left(folder: str, name: str) -> None:
    """Removes the files that killed runs left beside a file: nobody holds their lock."""
    pattern = re.compile(rf"{re.escape(_prefix(name))}\w{{8}}{re.escape(_SUFFIX)}")
    for left in filter(pattern.fullmatch, os.listdir(folder)):
        path = os.path.join(folder, left)
        with contextlib.suppress(OSError), locks.locked(path, wait=False) as nobodys:
            if nobodys:
                os.unlink(path)


def _keep(path: str) -> str:
    """Links or copies the old file to a free backup name."""
    number = 0
    while True:
        backup = f"{path}.bak.{number}" if number else f"{path}.bak"
        number += 1
        try:
            os.link(path, backup, follow_symlinks=False)
            return backup
        except FileExistsError:
            continue
        except OSError:  # This file system has no hard links.
            try:
                os.close(os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                continue
            shutil.copy2(path, backup)
            return backup
