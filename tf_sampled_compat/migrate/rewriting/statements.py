"""Edits of whole statements: adding a line after one, taking names out of an import."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from tf_sampled_compat.migrate.code import lines
from tf_sampled_compat.migrate.code.edits import Edit
from tf_sampled_compat.migrate.code.names import Code


def line_of(code: Code, statement: cst.CSTNode) -> cst.CSTNode:
    """Returns the line, or the `if x: …` on one line, that holds a small statement."""
    return code.parent(statement)


def add_after(code: Code, text: bytes, statement: cst.CSTNode, added: str) -> Edit:
    """Returns the edit that adds a statement after a small one, in the same block.

    Args:
      code: The module.
      text: Its bytes.
      statement: The small statement, an import say.
      added: What to add; `\\n` in it separates lines.
    """
    line = line_of(code, statement)
    start, end = code.span(line)
    indentation = lines.indentation(text, start)
    if not isinstance(line, cst.SimpleStatementLine) or indentation is None:
        at = code.span(statement)[1]
        return Edit(at, at, "; " + added.replace("\n", "; "))
    return add_line(text, end, added, indentation)


def add_line(text: bytes, end: int, added: str, indentation: str) -> Edit:
    """Returns the edit that adds a line after the one that holds the offset `end`."""
    newline, at = lines.newline(text, end), lines.end(text, end)
    whole = newline.join(indentation + line for line in added.split("\n"))
    if at and not text[:at].endswith(b"\n"):
        return Edit(at, at, newline + whole)
    return Edit(at, at, whole + newline)


def remove(code: Code, text: bytes, statements: Sequence[cst.CSTNode]) -> list[Edit]:
    """Returns the edits that take small statements out, and leave no block without any."""
    gone = [line_of(code, statement) for statement in statements]
    edits = []
    for statement, line in zip(statements, gone):
        alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
        block = code.parent(line)
        needed = not isinstance(block, cst.Module) and (
            line is block.body[-1] and all(other in gone for other in block.body)
        )
        if needed or not alone:
            edits.append(Edit(*code.span(statement), "pass"))
        else:
            start, end = code.span(line)
            edits.append(Edit(lines.start(text, start), lines.end(text, end), ""))
    return edits


def take_out(code: Code, statement, aliases: Sequence[cst.ImportAlias]) -> list[Edit]:
    """Returns the edits that take some, not all, of the names out of an import statement."""
    names = list(statement.names)
    gone = [alias in aliases for alias in names]
    spans = [code.span(alias) for alias in names]
    edits = []
    for at, alias_is_gone in enumerate(gone):
        if not alias_is_gone:
            continue
        if not all(gone[at:]):  # A name that stays follows: up to the next name.
            edits.append(Edit(spans[at][0], spans[at + 1][0], ""))
        else:  # The last ones go with the comma before them.
            edits.append(Edit(_end_of_name(code, names[at - 1]), _end_of_name(code, names[at]), ""))
    return edits


def _end_of_name(code: Code, alias: cst.ImportAlias) -> int:
    """Where an alias ends, its comma and what follows that left out."""
    return code.span(alias.asname.name if alias.asname else alias.name)[1]
