"""Parses Python by LibCST, and refuses code that would overflow its stack."""

from __future__ import annotations

import ast
import re
import warnings

import libcst as cst

_DEEPEST = 200  # CPython's own limit for nested brackets. LibCST overflows at some thousands.
_BRACKET = re.compile(r"[()\[\]{}]")


class TooDeepError(Exception):
    """The code is nested so deeply that LibCST would overflow its stack."""


def parse(text: str) -> cst.Module:
    """Parses a module.

    Raises:
      TooDeepError: If it is nested too deeply. LibCST would end the process, and the files after
        this one would not be migrated.
      libcst.ParserSyntaxError: If the text is not Python.
    """
    if _depth(text) > _DEEPEST:
        raise TooDeepError("nested too deeply to parse")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Invalid escapes in strings are not reported.
            ast.parse(text)  # Raises where its stack would overflow; LibCST crashes there.
    except (RecursionError, MemoryError):
        raise TooDeepError("nested too deeply to parse") from None
    except (SyntaxError, ValueError):
        pass  # LibCST knows newer syntax than an old interpreter does, and its errors name a place.
    return cst.parse_module(text)


def _depth(text: str) -> int:
    """Returns how deep brackets are nested. Those in strings and comments count too."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth = depth + 1 if bracket in "([{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest
