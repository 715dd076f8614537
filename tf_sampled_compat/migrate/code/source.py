"""The text of a Python file: its encoding, its byte-order mark and its form feeds."""

from __future__ import annotations

import bisect
import codecs
import re

_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?$")
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class UndecodableError(Exception):
    """The bytes are not text of the encoding that the file declares."""


class Source:
    """The text of a file, kept so that unedited code encodes to the same bytes again.

    Attributes:
      code: The text as UTF-8, in which edits are made.
      parsed: The text for LibCST: without form feeds, some of which LibCST would drop.
    """

    def __init__(self, raw: bytes):
        if b"\0" in raw:
            raise UndecodableError("binary: it holds NUL bytes")
        self._bom = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
        try:
            self._encoding = codecs.lookup(_declared(raw[len(self._bom) :])).name
            text = raw[len(self._bom) :].decode(self._encoding)
            same = self.encode(text.encode()) == raw
        except LookupError as error:
            raise UndecodableError(f"its encoding is unknown: {error}") from None
        except UnicodeEncodeError as error:  # UTF-7 and some others decode to half a character.
            raise UndecodableError(f"it is no text: {error}") from None
        except UnicodeError as error:
            raise UndecodableError(f"not the encoding it is declared to be: {error}") from None
        if not same:
            raise UndecodableError(f"{self._encoding} does not encode it to the same bytes again")
        self.code = text.encode()
        self.parsed = text.replace("\f", "")
        # For each form feed, the offset in `parsed` of the text behind it.
        feeds = [at for at, byte in enumerate(self.code) if byte == 0x0C] if "\f" in text else []
        self._behind = [at - before for before, at in enumerate(feeds)]

    def offset(self, parsed: int) -> int:
        """Converts a byte offset in `parsed` to one in `code`."""
        return parsed + bisect.bisect_right(self._behind, parsed)

    def encode(self, code: bytes) -> bytes:
        """Returns the file's bytes for an edited `code`."""
        return self._bom + code.decode().encode(self._encoding)


def _declared(raw: bytes) -> str:
    """Returns the encoding that a PEP 263 comment in the first two lines declares, or UTF-8.

    `tokenize.detect_encoding` does the same, but it refuses a line that is not UTF-8 itself.
    """
    for line in raw.split(b"\n", 2)[:2]:
        cookie = _COOKIE.match(line)
        if cookie:
            return cookie.group(1).decode()
        if not _BLANK.match(line.rstrip(b"\r")):
            break
    return "utf-8"
