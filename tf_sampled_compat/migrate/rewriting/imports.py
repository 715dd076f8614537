"""The imports of a rewritten file: ours where TensorFlow's are, and none that nothing uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import libcst as cst

from tf_sampled_compat.migrate.code.edits import Edit
from tf_sampled_compat.migrate.code.names import Code, Origin, dotted
from tf_sampled_compat.migrate.notes import Note
from tf_sampled_compat.migrate.rewriting import statements
from tf_sampled_compat.migrate.rules import signatures
from tf_sampled_compat.migrate.rules.advice.rule import look
from tf_sampled_compat.migrate.rules.which_namespace import is_contrib

_ROOTS = (cst.Module, cst.FunctionDef, cst.ClassDef)


class OurName(NamedTuple):
    """What the package is called in a file, and the import to add for it, if any."""

    name: str
    statement: str


def our_name(code: Code) -> OurName:
    """Returns what to call the package: as the file does, else `tsc`, unless that is taken."""
    taken = set()
    for node in code.nodes:
        if isinstance(node, cst.Import) and _at_top(code, node):
            for alias in node.names:
                if alias.evaluated_name == signatures.PACKAGE:
                    return OurName(alias.evaluated_alias or signatures.PACKAGE, "")
        if isinstance(node, cst.Name):
            taken.add(node.value)
    # A name that only ever stands for the package, inside functions, is no clash.
    taken -= {"tsc"} if _is_ours_everywhere(code, "tsc") else set()
    if "tsc" not in taken:
        return OurName("tsc", f"import {signatures.PACKAGE} as tsc")
    if signatures.PACKAGE not in taken:
        return OurName(signatures.PACKAGE, f"import {signatures.PACKAGE}")
    number = next(n for n in range(1, len(taken) + 2) if f"tsc_{n}" not in taken)
    return OurName(f"tsc_{number}", f"import {signatures.PACKAGE} as tsc_{number}")


def unused(code: Code, origins: Iterable[Origin], rewritten: list[tuple[int, int]]) -> list:
    """Returns the (statement, alias) of imports that nothing uses once `rewritten` spans are.

    Those of TensorFlow itself stay, and any that something else may look for: a name in `__all__`
    or in another string, a name that is deleted.
    """
    found = []
    strings = {n.evaluated_value for n in code.nodes if isinstance(n, cst.SimpleString)}
    deleted = {
        dotted(n.target) for n in code.nodes if isinstance(n, cst.Del)
    }  # A tuple of them has no dotted name; who deletes two at once keeps an import too many.
    for origin in dict.fromkeys(origins):
        alias = _alias(origin)
        if alias is None or origin.assignment.name in strings | deleted:
            continue
        uses = [code.span(access.node)[0] for access in origin.assignment.references]
        if uses and all(any(start <= use < end for start, end in rewritten) for use in uses):
            found.append((origin.statement, alias))
    return list({id(alias): (statement, alias) for statement, alias in found}.values())


def shortened(code: Code, rewritten: list[tuple[int, int]]) -> list[Edit]:
    """Returns the edits that make `import tensorflow` of `import tensorflow.contrib.nn`.

    It binds the same name, and works in TensorFlow 2; unless the rest of the path is still used.
    """
    if any(
        is_contrib(dotted(node) or "")
        and not any(start <= code.span(node)[0] < end for start, end in rewritten)
        for node in code.nodes
        if isinstance(node, cst.Attribute) and not code.enclosing(node, (cst.Import,))
    ):
        return []
    return [
        Edit(*code.span(alias.name), alias.evaluated_name.split(".")[0])
        for node in code.nodes
        if isinstance(node, cst.Import)
        for alias in node.names
        if alias.asname is None and is_contrib(alias.evaluated_name)
    ]


def vanished(code: Code, edits: Iterable[Edit]) -> list[Note]:
    """Returns notes on the imports of `tf.contrib`'s modules that no edit touches."""
    notes = []
    for node in code.nodes:
        if not isinstance(node, (cst.Import, cst.ImportFrom)) or isinstance(
            node.names, cst.ImportStar
        ):
            continue
        module = "" if isinstance(node, cst.Import) else f"{_module(node)}."
        start, end = code.span(node)
        if any(edit.start < end and start < edit.end for edit in edits if edit.start < edit.end):
            continue
        for alias in node.names:
            if is_contrib(module + alias.evaluated_name) or is_contrib(module[:-1]):
                notes.append(
                    look(
                        code, node, "vanished",
                        f"{code.text(node)} fails in TensorFlow 2, and something may still use it",
                        "see what does; tf_sampled_compat.install() brings back tf.contrib.nn and "
                        "tf.contrib.opt.LazyAdamOptimizer",
                    )
                )  # fmt: skip
                break
    return notes


def anchors(code: Code, origins: Iterable[Origin], rewritten: list[tuple[int, int]]) -> list:
    """Returns where our import goes, so that it is bound wherever TensorFlow's was.

    Returns:
      (node, is_global) pairs: after which small or compound statement, and whether the name must
      be declared global there.
    """
    origins = sorted(set(origins), key=lambda origin: code.span(origin.statement)[0])
    top = [origin for origin in origins if _at_top(code, origin.statement)]
    if top:
        return [(top[0].statement, False)]
    by_root: dict = {}
    for origin in origins:
        by_root.setdefault(code.enclosing(origin.statement, _ROOTS), []).append(origin)
    found = []
    for root, inside in by_root.items():
        found += _anchors_in(code, root, inside, rewritten)
    return found


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


def _anchors_in(code, root, origins, rewritten) -> list:
    """Within a function, a class or, where all its imports are guarded, the module."""
    block = root if isinstance(root, cst.Module) else root.body
    for origin in origins:
        if (
            code.parent(origin.statement) is block
            or code.parent(code.parent(origin.statement)) is block
        ):
            return [(origin.statement, origin.is_global and root is not code.module)]
    by_compound: dict = {}
    for origin in origins:
        node = origin.statement
        while code.parent(node) is not block:
            node = code.parent(node)
        by_compound.setdefault(node, []).append(origin)
    found = []
    for compound, inside in by_compound.items():
        start, end = code.span(compound)
        used_inside = any(start <= use < end for use, _ in rewritten)
        is_global = inside[0].is_global and root is not code.module
        if len({origin.statement for origin in inside}) > 1 and not used_inside:
            # Try and except, if and else: after both, and so for all that follow too.
            return [*found, (compound, is_global)]
        found += [(s, is_global) for s in dict.fromkeys(o.statement for o in inside)]
    return found


def _module(statement: cst.ImportFrom) -> str:
    """The module of an absolute `from … import`, or "" for a relative one."""
    if statement.relative or statement.module is None:
        return ""
    return dotted(statement.module) or ""


def _at_top(code: Code, statement: cst.CSTNode) -> bool:
    return isinstance(code.parent(code.parent(statement)), cst.Module)


def _inside(code: Code, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
    while node is not None and node is not outer:
        node = code.parent(node)
    return node is outer


def _is_ours_everywhere(code: Code, name: str) -> bool:
    """Whether every name that is spelled so is an import of the package, or refers to one."""
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


def _alias(origin: Origin):
    """The alias of an import that may go: of a module inside TensorFlow, by its own name."""
    for alias in origin.statement.names:
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
