"""Parses Python by LibCST, but for what would crash it."""

from __future__ import annotations

import ast
import re
import warnings

import libcst as cst

_DEEPEST = 200  # Brackets in brackets, as CPython allows; LibCST's stack takes some thousands.
_BRACKET = re.compile(r"[()\[\]{}]")


class TooDeepError(Exception):
    """The code is nested so deeply that LibCST would run out of stack."""


def parse(text: str) -> cst.Module:
    """Returns the module that a text holds.

    Raises:
      TooDeepError: If it is nested too deeply: what would end the process, and with it all other
        files' turn.
      libcst.ParserSyntaxError: If it is not Python.
    """
    if _depth(text) > _DEEPEST:
        raise TooDeepError("nested too deeply to parse")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its strings' escapes, which are not our affair
            ast.parse(text)  # It watches its stack, which LibCST does not.
    except (RecursionError, MemoryError):
        raise TooDeepError("nested too deeply to parse") from None
    except (SyntaxError, ValueError):
        pass  # LibCST knows more of the language than an old interpreter, and says where.
    return cst.parse_module(text)


def _depth(text: str) -> int:
    """How deep brackets are nested; those in strings and comments count too, which seldom adds."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth = depth + 1 if bracket in "([{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest
