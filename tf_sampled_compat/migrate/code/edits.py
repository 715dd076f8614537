"""Edits: spans of bytes, and the text that replaces each.

LibCST finds the places; it does not write the file. A codemod would write the whole tree back, and
the tree is not the file: LibCST drops some form feeds and a last CR, in a notebook it sees cells
whose magics are masked, and of the JSON around the cells it sees nothing. Bytes outside the edits
are copied, so whatever the file holds there stays exactly as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """Replaces the bytes from `start` to `end` by `text`."""

    start: int
    end: int
    text: str


def apply(code: bytes, edits: Iterable[Edit]) -> bytes:
    """Returns the code after all edits. They come in any order, and must not overlap.

    >>> apply(b"a = tf.nn.f(x)", [Edit(4, 6, "tsc"), Edit(0, 1, "b")])
    b'b = tsc.nn.f(x)'
    """
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < at:
            raise ValueError(f"edits overlap at byte {edit.start}: {edit}")
        pieces += [code[at : edit.start], edit.text.encode()]
        at = edit.end
    return b"".join([*pieces, code[at:]])
