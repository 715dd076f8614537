"""Edits of statements: adds one after another, removes some, takes names out of an import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import libcst as cst

from tf_sampled_compat.migrate.code import lines
from tf_sampled_compat.migrate.code.edits import Edit
from tf_sampled_compat.migrate.code.names import Code, ImportStatement

Line = Union[cst.SimpleStatementLine, cst.SimpleStatementSuite]


def line_of(code: Code, statement: cst.CSTNode) -> Line:
    """Returns the line that holds a small statement, or the body of an `if x: …` on one line."""
    line = code.parent(statement)
    # Python's grammar allows small statements nowhere else.
    assert isinstance(line, (cst.SimpleStatementLine, cst.SimpleStatementSuite))
    return line


def add_after(code: Code, text: bytes, statement: cst.CSTNode, added: str) -> Edit:
    """Returns the edit that adds statements after a small one, in the same block.

    Args:
      code: The module.
      text: Its bytes.
      statement: The small statement, such as an import.
      added: The statements to add, separated by `\\n`.
    """
    line = line_of(code, statement)
    start, end = code.span(line)
    indentation = lines.indentation(text, start)
    if not isinstance(line, cst.SimpleStatementLine) or indentation is None:
        at = code.span(statement)[1]
        return Edit(at, at, "; " + added.replace("\n", "; "))
    return add_line(text, end, added, indentation)


def add_line(text: bytes, end: int, added: str, indentation: str) -> Edit:
    """Returns the edit that adds lines after the one that holds the offset `end`."""
    newline, at = lines.newline(text, end), lines.end(text, end)
    whole = newline.join(indentation + line for line in added.split("\n"))
    if at and not text[:at].endswith(b"\n"):
        return Edit(at, at, newline + whole)
    return Edit(at, at, whole + newline)


def remove(code: Code, text: bytes, statements: Sequence[cst.CSTNode]) -> list[Edit]:
    """Returns the edits that remove small statements. A block left empty gets a `pass`."""
    gone = [line_of(code, statement) for statement in statements]
    edits: list[Edit] = []
    for statement, line in zip(statements, gone):
        alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
        block = code.parent(line)
        empties = (
            isinstance(block, cst.IndentedBlock)
            and line is block.body[-1]
            and all(other in gone for other in block.body)
        )
        if empties or not alone:
            edits.append(Edit(*code.span(statement), "pass"))
        else:
            start, end = code.span(line)
            edits.append(Edit(lines.start(text, start), lines.end(text, end), ""))
    return edits


def take_out(
    code: Code, statement: ImportStatement, aliases: Sequence[cst.ImportAlias]
) -> list[Edit]:
    """Returns the edits that take some, but not all, of the names out of an import."""
    names = aliases_of(statement)
    gone = [alias in aliases for alias in names]
    spans = [code.span(alias) for alias in names]
    edits: list[Edit] = []
    for at, alias_is_gone in enumerate(gone):
        if not alias_is_gone:
            continue
        if not all(gone[at:]):  # A name that stays follows: remove up to it.
            edits.append(Edit(spans[at][0], spans[at + 1][0], ""))
        else:  # Only names that go follow: remove the comma before them too.
            edits.append(Edit(_end_of_name(code, names[at - 1]), _end_of_name(code, names[at]), ""))
    return edits


def aliases_of(statement: ImportStatement) -> list[cst.ImportAlias]:
    """Returns the names that an import statement lists; `import *` lists none."""
    return [] if isinstance(statement.names, cst.ImportStar) else list(statement.names)


def _end_of_name(code: Code, alias: cst.ImportAlias) -> int:
    """Returns the offset behind an alias, without its comma."""
    return code.span(alias.asname.name if alias.asname else alias.name)[1]
