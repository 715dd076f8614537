"""Reads a file, and tells without parsing whether it mentions a loss."""

from __future__ import annotations

import mmap
import os
import re
import stat
from typing import Union

# Only files that match are parsed: the losses' names, and the module that vanished. Plain words are
# searched first, because they are found ten times as fast as the pattern.
_WORDS = (b"nce_loss", b"softmax_loss", b"contrib", b"compute_sampled_logits")
_MENTION = re.compile(
    rb"(?<!\w)(?:nce_loss|sampled_(?:sparse_)?softmax_loss|rank_sampled_softmax_loss)"
    rb"|(?<!\w)_?compute_sampled_logits\b|LazyAdamOptimizer\b"
    rb"|contrib\.nn\b|contrib[ \t]+import\b[^\n]*\bnn\b"
)
LARGEST = 16 << 20  # bytes; a data table written as Python would take minutes to parse


class UnreadableError(Exception):
    """The file cannot be read, or is too large to parse."""


def mentions(raw: Union[bytes, mmap.mmap]) -> bool:
    """Returns whether bytes mention anything that is rewritten or reported."""
    return any(raw.find(word) >= 0 for word in _WORDS) and _MENTION.search(raw) is not None


def read(path: str) -> bytes:
    """Returns a file's bytes, or b"" if it mentions no loss.

    Raises:
      UnreadableError: If it cannot be read, is not a regular file, or mentions a loss and is too
        large to parse.
    """
    try:
        # Non-blocking: opening a pipe named x.py would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError("not a regular file")
            if status.st_size > LARGEST:
                return _large(descriptor, status.st_size)
            raw = file.read()
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror}") from None
    return raw if mentions(raw) else b""


def _large(descriptor: int, size: int) -> bytes:
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as view:
        if mentions(view):
            raise UnreadableError(
                f"too large: {size:,} bytes; at most {LARGEST:,} are parsed; split it"
            )
    return b""
