"""Decides on the imports of a rewritten file: adds ours, and drops those that nothing uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Optional, Union

import libcst as cst

from tf_sampled_compat.migrate.code.edits import Edit
from tf_sampled_compat.migrate.code.names import Code, ImportStatement, Origin, Span, dotted
from tf_sampled_compat.migrate.notes import Note
from tf_sampled_compat.migrate.rewriting import statements
from tf_sampled_compat.migrate.rules import signatures
from tf_sampled_compat.migrate.rules.advice.rule import look
from tf_sampled_compat.migrate.rules.which_namespace import is_contrib

_Root = Union[cst.Module, cst.FunctionDef, cst.ClassDef]


class OurName(NamedTuple):
    """The name of this package in a file, and the import to add for it, or ""."""

    name: str
    statement: str


class Anchor(NamedTuple):
    """A place for our import.

    Attributes:
      node: The small or compound statement that it follows.
      is_global: Whether the name must be declared global there.
    """

    node: cst.CSTNode
    is_global: bool


def our_name(code: Code) -> OurName:
    """Returns the name the file has for this package; if none, `tsc` or a name that is free."""
    taken = set()
    for node in code.nodes:
        if isinstance(node, cst.Import) and _at_top(code, node):
            for alias in node.names:
                if alias.evaluated_name == signatures.PACKAGE:
                    return OurName(alias.evaluated_alias or signatures.PACKAGE, "")
        if isinstance(node, cst.Name):
            taken.add(node.value)
    # Imports of the package as `tsc` inside functions do not clash.
    taken -= {"tsc"} if _is_ours_everywhere(code, "tsc") else set()
    if "tsc" not in taken:
        return OurName("tsc", f"import {signatures.PACKAGE} as tsc")
    if signatures.PACKAGE not in taken:
        return OurName(signatures.PACKAGE, f"import {signatures.PACKAGE}")
    number = next(n for n in range(1, len(taken) + 2) if f"tsc_{n}" not in taken)
    return OurName(f"tsc_{number}", f"import {signatures.PACKAGE} as tsc_{number}")


def unused(
    code: Code, origins: Iterable[Origin], rewritten: list[Span]
) -> dict[ImportStatement, list[cst.ImportAlias]]:
    """Returns the imports that are used only in the rewritten spans, by statement.

    Imports of TensorFlow itself stay, and so do names that something else may look for: in
    `__all__` or another string, or in a `del`.
    """
    strings = {n.evaluated_value for n in code.nodes if isinstance(n, cst.SimpleString)}
    # The targets of `del a, b` have no dotted name; the import of such a name may be dropped.
    deleted = {dotted(n.target) for n in code.nodes if isinstance(n, cst.Del)}
    found: dict[ImportStatement, list[cst.ImportAlias]] = {}
    for origin in dict.fromkeys(origins):
        alias = _alias(origin)
        if alias is None or origin.assignment.name in strings | deleted:
            continue
        uses = [code.span(access.node)[0] for access in origin.assignment.references]
        aliases = found.setdefault(origin.statement, [])
        if uses and all(_is_within(use, rewritten) for use in uses) and alias not in aliases:
            aliases.append(alias)
    return {statement: aliases for statement, aliases in found.items() if aliases}


def shortened(code: Code, rewritten: list[Span]) -> list[Edit]:
    """Returns the edits that turn `import tensorflow.contrib.nn` into `import tensorflow`.

    The short form binds the same name and works in TensorFlow 2. If other code still uses the rest
    of the path, there are no edits.
    """
    for node in code.nodes:
        if not isinstance(node, cst.Attribute) or not is_contrib(dotted(node) or ""):
            continue
        imported = code.enclosing(node, cst.Import) is not None
        if not imported and not _is_within(code.span(node)[0], rewritten):
            return []
    return [
        Edit(*code.span(alias.name), alias.evaluated_name.split(".")[0])
        for node in code.nodes
        if isinstance(node, cst.Import)
        for alias in node.names
        if alias.asname is None and is_contrib(alias.evaluated_name)
    ]


def vanished(code: Code, edits: Iterable[Edit]) -> list[Note]:
    """Returns notes on the imports of `tf.contrib` that remain, because no edit touches them."""
    removed = [edit for edit in edits if edit.start < edit.end]
    notes = []
    for node in code.nodes:
        if not isinstance(node, (cst.Import, cst.ImportFrom)) or not _of_contrib(node):
            continue
        start, end = code.span(node)
        if any(edit.start < end and start < edit.end for edit in removed):
            continue
        notes.append(
            look(
                code, node, "vanished",
                f"{code.text(node)} fails in TensorFlow 2, and something may still use it",
                "find what uses it; tf_sampled_compat.install() brings back tf.contrib.nn and "
                "tf.contrib.opt.LazyAdamOptimizer",
            )
        )  # fmt: skip
    return notes


def anchors(code: Code, origins: Iterable[Origin], rewritten: list[Span]) -> list[Anchor]:
    """Returns the places for our import that bind our name wherever TensorFlow's was bound."""
    origins = sorted(set(origins), key=lambda origin: code.span(origin.statement)[0])
    top = [origin for origin in origins if _at_top(code, origin.statement)]
    if top:
        return [Anchor(top[0].statement, False)]
    by_root: dict[_Root, list[Origin]] = {}
    for origin in origins:
        root = code.enclosing(origin.statement, (cst.Module, cst.FunctionDef, cst.ClassDef))
        assert root is not None  # The module encloses every statement.
        by_root.setdefault(root, []).append(origin)
    return [
        anchor
        for root, inside in by_root.items()
        for anchor in _anchors_in(code, root, inside, rewritten)
    ]


def insertion(code: Code, text: bytes, anchor: cst.CSTNode, added: str) -> Edit:
    """Returns the edit that adds `added` after a small or a compound statement."""
    if isinstance(anchor, cst.BaseSmallStatement):
        return statements.add_after(code, text, anchor, added)
    last = max(
        code.span(node)[1]
        for node in code.nodes
        if isinstance(node, (cst.SimpleStatementLine, cst.SimpleStatementSuite))
        and _inside(code, node, anchor)
    )
    indentation = text[: code.span(anchor)[0]].rpartition(b"\n")[2].decode()
    return statements.add_line(text, last, added, indentation)


def _anchors_in(
    code: Code, root: _Root, origins: list[Origin], rewritten: list[Span]
) -> list[Anchor]:
    """Returns the anchors inside a function or a class, or in a module with guarded imports."""
    block = root if isinstance(root, cst.Module) else root.body
    for origin in origins:
        line = code.parent(origin.statement)
        if line is block or code.parent(line) is block:
            return [Anchor(origin.statement, origin.is_global and root is not code.module)]
    by_compound: dict[cst.CSTNode, list[Origin]] = {}
    for origin in origins:
        by_compound.setdefault(_child_of(code, block, origin.statement), []).append(origin)
    found: list[Anchor] = []
    for compound, inside in by_compound.items():
        start, end = code.span(compound)
        used_inside = any(start <= use < end for use, _ in rewritten)
        is_global = inside[0].is_global and root is not code.module
        if len({origin.statement for origin in inside}) > 1 and not used_inside:
            # An import in both `try` and `except`, or `if` and `else`: one after the compound
            # statement serves everything that follows.
            return [*found, Anchor(compound, is_global)]
        found += [Anchor(s, is_global) for s in dict.fromkeys(o.statement for o in inside)]
    return found


def _child_of(code: Code, block: cst.CSTNode, node: cst.CSTNode) -> cst.CSTNode:
    """Returns the child of a block that holds a node."""
    around = code.parent(node)
    while around is not block:
        assert around is not None  # The block is known to enclose the node.
        node, around = around, code.parent(around)
    return node


def _is_within(at: int, spans: Iterable[Span]) -> bool:
    return any(start <= at < end for start, end in spans)


def _of_contrib(statement: ImportStatement) -> bool:
    """Returns whether a statement imports a `tf.contrib` module, or from one, by name."""
    module = _module(statement) if isinstance(statement, cst.ImportFrom) else ""
    prefix = f"{module}." if module else ""
    return any(
        is_contrib(module) or is_contrib(prefix + alias.evaluated_name)
        for alias in statements.aliases_of(statement)
    )


def _module(statement: cst.ImportFrom) -> str:
    """Returns the module of an absolute `from … import`, or "" for a relative one."""
    if statement.relative or statement.module is None:
        return ""
    return dotted(statement.module) or ""


def _at_top(code: Code, statement: cst.CSTNode) -> bool:
    return isinstance(code.parent(code.parent(statement)), cst.Module)


def _inside(code: Code, node: Optional[cst.CSTNode], outer: cst.CSTNode) -> bool:
    while node is not None and node is not outer:
        node = code.parent(node)
    return node is outer


def _is_ours_everywhere(code: Code, name: str) -> bool:
    """Returns whether a name always stands for this package, wherever the file uses it."""
    for node in code.nodes:
        if not isinstance(node, cst.Name) or node.value != name:
            continue
        if isinstance(code.parent(node), cst.AsName):
            alias = code.parent(code.parent(node))
            if not isinstance(alias, cst.ImportAlias) or alias.evaluated_name != signatures.PACKAGE:
                return False
            continue
        meanings = code.meanings(node)
        if not meanings or any(m.path != signatures.PACKAGE for m in meanings):
            return False
    return True


def _alias(origin: Origin) -> Optional[cst.ImportAlias]:
    """Returns the alias of an import that may go: of a module inside TensorFlow, by its name."""
    for alias in statements.aliases_of(origin.statement):
        name = alias.evaluated_alias or alias.evaluated_name
        if name != origin.assignment.name:
            continue
        if isinstance(origin.statement, cst.ImportFrom):
            whole = f"{_module(origin.statement)}.{alias.evaluated_name}"
        else:
            whole = alias.evaluated_name if alias.asname else ""
        is_root = whole in ("tensorflow.compat.v1", "tensorflow.compat.v2")
        return alias if whole.startswith("tensorflow.") and not is_root else None
    return None
