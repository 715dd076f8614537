"""IPython's magics: what in a cell is no Python, masked by Python of the same length."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

import libcst as cst

from tf_sampled_compat.migrate.code.parsing import TooDeepError, parse

# Cell magics below which the cell is Python that runs here.
_PYTHON_BELOW = {"time", "timeit", "capture", "prun", "memit", "mprun", "python", "python3"}
# A letter behind the %, or it is the operator, on a line that goes on from the one before.
_MAGIC = rb"%{1,2}[A-Za-z_].*|!(?!=).*"
_LINE = re.compile(rb"[ \t]*(" + _MAGIC + rb"|\?.*|[\w.%]+\?{1,2}[ \t]*)\r?$", re.DOTALL)
_ASSIGNED = re.compile(rb"[ \t]*[\w., \t]+=[ \t]*(" + _MAGIC + rb")\r?$", re.DOTALL)
_CELL = re.compile(rb"\s*%%(\w+)")


class Masked(NamedTuple):
    """A cell's Python, as long as the cell: magics are a `0` and blanks.

    Attributes:
      code: The Python, or None where the cell is none.
      hidden: What is masked.
    """

    code: Optional[bytes]
    hidden: bytes


def mask(cell: bytes) -> Masked:
    """Returns a cell with its magics masked, unless it is Python as it stands.

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
        if found is None and not continued:
            lines.append(line)
            continue
        start = 0 if continued else found.start(1)
        end = len(line.rstrip(b"\r\n"))
        lines.append(line[:start] + _filler(end - start, continued) + line[end:])
        hidden.append(line)
        continued = line[:end].endswith(b"\\")
    code = b"".join(lines)
    return Masked(code if parses(code) else None, b"".join(hidden))


def parses(code: bytes) -> bool:
    """Whether it is Python."""
    try:
        parse(code.decode())
    except (cst.ParserSyntaxError, TooDeepError, UnicodeError):
        return False
    return True


def _filler(length: int, continued: bool) -> bytes:
    return b" " * length if continued else (b"0" + b" " * length)[:length]
