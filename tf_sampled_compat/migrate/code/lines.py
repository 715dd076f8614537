"""Lines of code as bytes: where they start and end, and how they are indented."""

from __future__ import annotations

from typing import Optional


def start(code: bytes, at: int) -> int:
    """Returns where the line of an offset starts."""
    return code.rfind(b"\n", 0, at) + 1


def end(code: bytes, at: int) -> int:
    """Returns where the line after that of an offset starts, or where the code ends."""
    found = code.find(b"\n", at)
    return len(code) if found < 0 else found + 1


def indentation(code: bytes, at: int) -> Optional[str]:
    """Returns what stands before an offset on its line, or None if that is more than blanks."""
    before = code[start(code, at) : at]
    return before.decode() if not before.strip() else None


def newline(code: bytes, at: int) -> str:
    """Returns how the line of an offset ends, or, if it is the last, how the one before it does."""
    until = end(code, at)
    if not code[:until].endswith(b"\n"):
        until = start(code, at)
    return "\r\n" if code[:until].endswith(b"\r\n") else "\n"


def position(code: bytes, at: int) -> tuple[int, int]:
    """Returns the line and column of an offset, both from 1, the column in characters."""
    first = start(code, at)
    return code.count(b"\n", 0, at) + 1, len(code[first:at].decode(errors="replace")) + 1
