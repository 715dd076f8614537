"""A Python source between its bytes and LibCST: encodings, marks and form feeds."""

from __future__ import annotations

import bisect
import codecs
import re

_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?$")
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class UndecodableError(Exception):
    """The bytes are not the text they are declared to be."""


class Source:
    """The text of a file, held so that what is not edited comes back byte for byte.

    Edits are made in `code`, which is UTF-8; `parsed` is what LibCST gets: the same text less its
    form feeds, which it would not reproduce.
    """

    def __init__(self, raw: bytes):
        if b"\0" in raw:
            raise UndecodableError("binary: it holds NUL bytes")
        self._bom = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
        try:
            self._encoding = codecs.lookup(_declared(raw[len(self._bom) :])).name
            text = raw[len(self._bom) :].decode(self._encoding)
        except LookupError as error:
            raise UndecodableError(f"its encoding is unknown: {error}") from None
        except UnicodeError as error:
            raise UndecodableError(f"not the encoding it is declared to be: {error}") from None
        if self.encode(text.encode()) != raw:
            raise UndecodableError(f"{self._encoding} does not encode it back as it was")
        self.code = text.encode()
        self.parsed = text.replace("\f", "")
        # Of each form feed, where the text behind it starts once they are gone.
        feeds = [at for at, byte in enumerate(self.code) if byte == 0x0C] if "\f" in text else []
        self._behind = [at - before for before, at in enumerate(feeds)]

    def offset(self, parsed: int) -> int:
        """Returns the byte offset in `code` of one in `parsed`."""
        return parsed + bisect.bisect_right(self._behind, parsed)

    def encode(self, code: bytes) -> bytes:
        """Returns the file's bytes for an edited `code`."""
        return self._bom + code.decode().encode(self._encoding)


def _declared(raw: bytes) -> str:
    """The encoding that PEP 263's comment in the first or second line names, or UTF-8.

    `tokenize.detect_encoding` refuses a comment that holds letters of the encoding it declares.
    """
    for line in raw.split(b"\n", 2)[:2]:
        cookie = _COOKIE.match(line)
        if cookie:
            return cookie.group(1).decode()
        if not _BLANK.match(line.rstrip(b"\r")):
            break
    return "utf-8"
