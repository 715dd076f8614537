"""Turns the docstrings' formulas and doctests into Markdown before the site renders them.

The docstrings use two marks of reStructuredText, `.. math::` and `:math:`, which editors and
`help()` show legibly, and plain doctests. Markdown wants `$$`, `$` and fences.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

FORMULA = re.compile(r"^( *)\.\. math::[ ]*(.*)\n((?:\1 +\S.*\n|[ ]*\n(?=\1 +\S))*)", re.M)
INLINE_FORMULA = re.compile(r":math:`([^`]+)`")
DOCTEST = re.compile(r"^( *)>>> .*\n(?:\1\S.*\n)*", re.M)


def _formula(match: re.Match[str]) -> str:
    indent, first, rest = match.groups()
    tex = "\n".join(part for part in (first, textwrap.dedent(rest).strip()) if part)
    return textwrap.indent(f"\n$$\n{tex}\n$$\n\n", indent, lambda line: line.strip() != "")


def _doctest(match: re.Match[str]) -> str:
    indent = match[1]
    return f"{indent}```pycon\n{match[0]}{indent}```\n"


def to_markdown(text: str) -> str:
    """Returns a docstring with its formulas between dollars and its doctests in fences."""
    text = FORMULA.sub(_formula, text.rstrip() + "\n")
    text = INLINE_FORMULA.sub(r"$\1$", text)
    return DOCTEST.sub(_doctest, text)


class MarkdownDocstrings(griffe.Extension):
    """Hands every docstring to `to_markdown`, and finds functions named like their module."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrites the docstring of an object, if it has one."""
        if obj.docstring:
            obj.docstring.value = to_markdown(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Lets `tf_sampled_compat.install` be the function, as in Python, not its module."""
        for name in pkg.exports or ():
            member = pkg.members.get(str(name))
            if isinstance(member, griffe.Alias):
                path = f"{member.target_path}.{name}".removeprefix(f"{pkg.path}.")
                try:
                    pkg[path]
                except KeyError:
                    continue
                pkg.set_member(str(name), griffe.Alias(str(name), f"{pkg.path}.{path}", parent=pkg))
