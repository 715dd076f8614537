"""Masks IPython's magics and shell lines by Python of the same length, so that a cell parses."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

import libcst as cst

from tf_sampled_compat.migrate.code.parsing import TooDeepError, parse

# Cell magics whose cell is Python that runs in the notebook's own process.
_PYTHON_BELOW = {"time", "timeit", "capture", "prun", "memit", "mprun", "python", "python3"}
# A letter must follow the %: a continued line may start with the operator %.
_MAGIC = rb"%{1,2}[A-Za-z_].*|!(?!=).*"
_LINE = re.compile(rb"[ \t]*(" + _MAGIC + rb"|\?.*|[\w.%]+\?{1,2}[ \t]*)\r?$", re.DOTALL)
_ASSIGNED = re.compile(rb"[ \t]*[\w., \t]+=[ \t]*(" + _MAGIC + rb")\r?$", re.DOTALL)
_CELL = re.compile(rb"\s*%%(\w+)")


class Masked(NamedTuple):
    """A cell with its magics masked.

    Attributes:
      code: Python as long as the cell, each magic a `0` and blanks; None if the cell is not Python.
      hidden: The lines that are masked.
    """

    code: Optional[bytes]
    hidden: bytes


def mask(cell: bytes) -> Masked:
    """Masks the magics of a cell. A cell that is Python already stays as it is.

    >>> mask(b"%time\\nx = !ls\\n").code
    b'0    \\nx = 0  \\n'
    """
    if parses(cell):
        return Masked(cell, b"")
    magic = _CELL.match(cell)
    if magic and magic.group(1).decode() not in _PYTHON_BELOW:
        return Masked(None, cell)
    lines, hidden, continued = [], [], False
    for line in cell.splitlines(keepends=True):
        found = _LINE.match(line.rstrip(b"\n")) or _ASSIGNED.match(line.rstrip(b"\n"))
        if continued:
            start = 0
        elif found is not None:
            start = found.start(1)
        else:
            lines.append(line)
            continue
        end = len(line.rstrip(b"\r\n"))
        lines.append(line[:start] + _filler(end - start, continued) + line[end:])
        hidden.append(line)
        continued = line[:end].endswith(b"\\")
    code = b"".join(lines)
    return Masked(code if parses(code) else None, b"".join(hidden))


def parses(code: bytes) -> bool:
    """Returns whether the code is Python."""
    try:
        parse(code.decode())
    except (cst.ParserSyntaxError, TooDeepError, UnicodeError):
        return False
    return True


def _filler(length: int, continued: bool) -> bytes:
    return b" " * length if continued else (b"0" + b" " * length)[:length]
