"""Checks a shared library's file by reading it, because loading a damaged one may be fatal."""

from __future__ import annotations

import pathlib
import struct
from typing import Optional

_HEADER_BYTES = 64
_SEGMENT_BYTES = 56
_CLASS_64 = 2
_X86_64 = 62


def damage(path: pathlib.Path) -> Optional[str]:
    """Returns why a file is not a library for Linux on x86-64, or None if it looks like one.

    The loader trusts the sizes in the file's header. If the file is cut short, access to the
    missing part ends the process with a bus error. For another machine's library, the loader
    reports that there is no such file.

    Args:
      path: The file.

    Raises:
      OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if not header.startswith(b"\x7fELF"):
            return "is not a shared library"
        if len(header) < _HEADER_BYTES:
            return "is cut short"
        machine = struct.unpack_from("<H", header, 18)[0]
        if header[4] != _CLASS_64 or machine != _X86_64:
            return f"is for another machine (ELF machine {machine}, not {_X86_64})"
        start = struct.unpack_from("<Q", header, 32)[0]
        count = struct.unpack_from("<H", header, 56)[0]
        file.seek(start)
        table = file.read(_SEGMENT_BYTES * count)
    if len(table) < _SEGMENT_BYTES * count:
        return "is cut short"
    for segment in range(count):
        # The segment's offset in the file, two addresses, and its length in the file.
        offset, _, _, length = struct.unpack_from("<4Q", table, _SEGMENT_BYTES * segment + 8)
        if offset + length > path.stat().st_size:
            return "is cut short"
    return None
