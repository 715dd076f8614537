"""Edits: spans of bytes and what comes in their place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """Bytes from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def apply(code: bytes, edits: Iterable[Edit]) -> bytes:
    """Returns the code after all edits, which must not overlap.

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
