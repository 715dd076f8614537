"""Reads a file if it can be read, and tells in no time whether it concerns us."""

from __future__ import annotations

import mmap
import os
import re
import stat

# Nothing is parsed that does not match: the losses' names, and the module that vanished. Plain
# words come first, since they are found ten times as fast as the pattern.
_WORDS = (b"nce_loss", b"softmax_loss", b"contrib", b"_compute_sampled_logits")
_MENTION = re.compile(
    rb"(?<!\w)(?:nce_loss|sampled_(?:sparse_)?softmax_loss|rank_sampled_softmax_loss)"
    rb"|(?<!\w)_compute_sampled_logits\b|LazyAdamOptimizer\b"
    rb"|contrib\.nn\b|contrib[ \t]+import\b[^\n]*\bnn\b"
)
LARGEST = 16 << 20  # bytes that are parsed; a table in Python's clothes would take minutes


class UnreadableError(Exception):
    """The file cannot be read, or not as Python."""


def mentions(raw) -> bool:
    """Whether bytes name what would be rewritten; else there is no need to parse them."""
    return any(raw.find(word) >= 0 for word in _WORDS) and _MENTION.search(raw) is not None


def read(path: str) -> bytes:
    """Returns a file's bytes, or b"" if nothing in it concerns us.

    Raises:
      UnreadableError: If it cannot be read, is no file, or concerns us and is too large.
    """
    try:
        # Not blocking, lest a pipe that is called x.py waits for someone to write.
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
                f"too large: {size:,} bytes, and up to {LARGEST:,} are parsed; split it"
            )
    return b""
