"""Text from elsewhere, such as the names of files, made safe to print on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Returns text in which each character that is not printable is escaped, as in `\x1b`.

    Else a name could move the cursor, set the terminal's title, or look like another line.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
