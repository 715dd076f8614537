"""Writes a file so that at every moment either its old bytes or its new ones are there."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile


class NotWrittenError(Exception):
    """The file could not be written; it is as it was."""


def write(path: str, before: bytes, after: bytes) -> str:
    """Replaces a file's bytes, keeps its mode, and keeps the old file beside it.

    Args:
      path: The file; of a link, what it points to is replaced.
      before: What was read from it.
      after: What it is to hold.

    Returns:
      The backup's path: `path.bak`, or `path.bak.1` and so on where that exists.

    Raises:
      NotWrittenError: If it is read-only, has changed meanwhile, or cannot be written.
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
    # In the same folder, or it could not be renamed; hidden, or a search would find it.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            with contextlib.suppress(OSError):  # Only root may give files away.
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fsync(descriptor)
        with open(path, "rb") as file:
            if file.read() != before:
                raise NotWrittenError("it was changed meanwhile; left as it is")
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


def _keep(path: str) -> str:
    """Gives the old file a second name, or copies it, and never overwrites."""
    number = 0
    while True:
        backup = f"{path}.bak.{number}" if number else f"{path}.bak"
        number += 1
        try:
            os.link(path, backup, follow_symlinks=False)
            return backup
        except FileExistsError:
            continue
        except OSError:  # No hard links here.
            try:
                os.close(os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                continue
            shutil.copy2(path, backup)
            return backup
