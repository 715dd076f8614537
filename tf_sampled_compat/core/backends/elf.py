"""Checks a shared library's file by reading it.

Loading a damaged one may be fatal, and loading a foreign one runs its code.
"""

from __future__ import annotations

import pathlib
import struct
from collections.abc import Iterator
from typing import Optional

_HEADER_BYTES = 64
_SEGMENT_BYTES = 56
_CLASS_64 = 2
_X86_64 = 62
_LOADED = 1  # the type of a segment
_DYNAMIC_SYMBOLS = 11  # the type of a section
_SYMBOL_BYTES = 24
_ENDBR64 = b"\xf3\x0f\x1e\xfa"  # may stand at a function's start
_MOVE_TO_EAX, _RETURN = b"\xb8", b"\xc3"


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


def exports(path: pathlib.Path, name: str) -> bool:
    """Returns whether a library that is not damaged exports a symbol."""
    return _address(path.read_bytes(), name) is not None


def returned_number(path: pathlib.Path, name: str) -> Optional[int]:
    """Returns the number of a function that is `return NUMBER;` alone, without running it.

    It is read from the machine code. None if there is no such function, or its code is another.

    Args:
      path: A library that is not damaged.
      name: The exported function.
    """
    raw = path.read_bytes()
    address = _address(raw, name)
    code = b"" if address is None else _at(raw, address)
    code = code[len(_ENDBR64) :] if code.startswith(_ENDBR64) else code
    if code[:1] != _MOVE_TO_EAX or code[5:6] != _RETURN:
        return None
    return struct.unpack_from("<i", code, 1)[0]


def _address(raw: bytes, name: str) -> Optional[int]:
    """Returns the address of an exported symbol, or None."""
    try:
        return dict(_symbols(raw)).get(name.encode())
    except (struct.error, ValueError, OverflowError):  # The tables point out of the file.
        return None


def _symbols(raw: bytes) -> Iterator[tuple[bytes, int]]:
    """Yields the names and addresses of the defined dynamic symbols."""
    (start,) = struct.unpack_from("<Q", raw, 40)
    size, count = struct.unpack_from("<2H", raw, 58)
    # Each section's type, offset, length, and the number of the section that it refers to.
    sections = [struct.unpack_from("<4xI16x2QI", raw, start + size * n) for n in range(count)]
    for kind, first, length, link in sections:
        if kind != _DYNAMIC_SYMBOLS or link >= count:
            continue
        names = sections[link][1]
        for at in range(first, first + length, _SYMBOL_BYTES):
            name, section, address = struct.unpack_from("<I2xHQ", raw, at)
            if section:
                yield raw[names + name : raw.index(b"\0", names + name)], address


def _at(raw: bytes, address: int) -> bytes:
    """Returns the first bytes of the file that are loaded to an address."""
    start, count = struct.unpack_from("<Q", raw, 32)[0], struct.unpack_from("<H", raw, 56)[0]
    for segment in range(count):
        kind, offset, first, length = struct.unpack_from(
            "<I4x2Q8xQ", raw, start + _SEGMENT_BYTES * segment
        )
        if kind == _LOADED and first <= address < first + length:
            at = offset + address - first
            return raw[at : at + 16]
    return b""
