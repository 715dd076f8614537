"""Lines of code as bytes: where a line starts and ends, and how it is indented."""

from __future__ import annotations

from typing import Optional


def start(code: bytes, at: int) -> int:
    """Returns the offset at which the line that holds offset `at` starts."""
    return code.rfind(b"\n", 0, at) + 1


def end(code: bytes, at: int) -> int:
    """Returns the offset behind the line that holds offset `at`, line end included."""
    found = code.find(b"\n", at)
    return len(code) if found < 0 else found + 1


def indentation(code: bytes, at: int) -> Optional[str]:
    """Returns the blanks before an offset on its line, or None if there is anything else."""
    before = code[start(code, at) : at]
    return before.decode() if not before.strip() else None


def newline(code: bytes, at: int) -> str:
    """Returns the line end of an offset's line. A last line without one takes its predecessor's."""
    until = end(code, at)
    if not code[:until].endswith(b"\n"):
        until = start(code, at)
    return "\r\n" if code[:until].endswith(b"\r\n") else "\n"


def position(code: bytes, at: int) -> tuple[int, int]:
    """Returns an offset's line and column, each from 1. Columns count characters."""
    first = start(code, at)
    return code.count(b"\n", 0, at) + 1, len(code[first:at].decode(errors="replace")) + 1
