"""Locks on files and folders, which end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def lock(descriptor: int, *, wait: bool) -> bool:
    """Locks an open file or folder until it is closed. Returns whether that was possible.

    Args:
      descriptor: The file or folder.
      wait: Whether to wait while another has the lock, instead of returning False.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # Another has it; or a network file system has no locks.
        return False
    return True


@contextlib.contextmanager
def locked(path: str, *, wait: bool = True) -> Iterator[bool]:
    """Locks a file or folder in the context, which gets whether that was possible."""
    if fcntl is None:
        yield False
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield lock(descriptor, wait=wait)
    finally:
        os.close(descriptor)
