"""Rewrites references to the losses: the prefix of an attribute, or the import of a name."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from tf_sampled_compat.migrate.code.edits import Edit
from tf_sampled_compat.migrate.code.names import Code, Origin, Span, dotted
from tf_sampled_compat.migrate.notes import CHANGED, Note
from tf_sampled_compat.migrate.rewriting import imports, statements
from tf_sampled_compat.migrate.rules import references, signatures


def rewrite(
    code: Code, text: bytes, found: Sequence[references.Reference], era: str
) -> tuple[list[Edit], list[Note]]:
    """Returns the edits of a module, and a note on each change.

    Args:
      code: The module.
      text: Its bytes.
      found: Its references to the losses.
      era: "0.x", "1.x" or "2.x".
    """
    edits, notes = _imports_of_names(code, text, era)
    if not found:
        return edits, notes + imports.vanished(code, edits)
    ours = imports.our_name(code)
    spans: list[Span] = []
    for reference in found:
        edit = _prefix(code, reference, ours.name)
        edits.append(edit)
        spans.append((edit.start, edit.end))
        change = f"{dotted(reference.node)} -> {ours.name}.{reference.target.path}"
        notes.append(_changed(code, reference.node, "call", change))
    origins = [origin for reference in found for origin in reference.origins]
    more_edits, more_notes = _imports_of_modules(code, text, origins, spans, ours)
    edits += more_edits + imports.shortened(code, spans)
    return edits, notes + more_notes + imports.vanished(code, edits)


def _changed(code: Code, node: cst.CSTNode, name: str, change: str) -> Note:
    start, end = code.span(node)
    return Note(CHANGED, name, start, end, change)


def _prefix(code: Code, reference: references.Reference, ours: str) -> Edit:
    """Replaces the part of `tf.nn.nce_loss` that differs. The rest keeps its line breaks."""
    old = (dotted(reference.node) or "").split(".")
    new = [ours, *reference.target.path.split(".")]
    same = 0
    while same < len(old) - 1 and same < len(new) - 1 and old[-1 - same] == new[-1 - same]:
        same += 1
    node: cst.BaseExpression = reference.node
    for _ in range(same):
        assert isinstance(node, cst.Attribute)  # `same` names stand after a dot.
        node = node.value
    start, end = code.span(node)
    return Edit(start, end, ".".join(new[: len(new) - same]))


def _imports_of_modules(
    code: Code,
    text: bytes,
    origins: Sequence[Origin],
    spans: list[Span],
    ours: imports.OurName,
) -> tuple[list[Edit], list[Note]]:
    """Adds our import, and removes those of TensorFlow's modules that nothing uses any more."""
    edits: list[Edit] = []
    notes: list[Note] = []
    anchors = imports.anchors(code, origins, spans) if ours.statement else []
    dropped = imports.unused(code, origins, spans)
    # Where an import is dropped whole, ours can take its place.
    whole = {s for s, gone in dropped.items() if len(gone) == len(statements.aliases_of(s))}
    for node, is_global in anchors:
        added = f"global {ours.name}\n{ours.statement}" if is_global else ours.statement
        notes.append(_changed(code, node, "import", f"added: {ours.statement}"))
        if node in whole and not is_global:
            edits.append(Edit(*code.span(node), added))
        else:
            edits.append(imports.insertion(code, text, node, added))
    replaced = {(edit.start, edit.end) for edit in edits}
    unneeded = []
    for statement, aliases in dropped.items():
        names = ", ".join(code.text(alias).rstrip(", ") for alias in aliases)
        notes.append(_changed(code, statement, "import", f"dropped, as nothing uses it: {names}"))
        if code.span(statement) in replaced:
            continue
        if statement in whole:
            unneeded.append(statement)
        else:
            edits += statements.take_out(code, statement, aliases)
    return edits + statements.remove(code, text, unneeded), notes


def _imports_of_names(code: Code, text: bytes, era: str) -> tuple[list[Edit], list[Note]]:
    edits: list[Edit] = []
    notes: list[Note] = []
    for node in code.nodes:
        if isinstance(node, cst.ImportFrom):
            found = references.imported(node, era)
            if found:
                more_edits, note = _import_of_names(code, text, node, found)
                edits += more_edits
                notes.append(note)
    return edits, notes


def _import_of_names(
    code: Code, text: bytes, statement: cst.ImportFrom, found: list[references.Imported]
) -> tuple[list[Edit], Note]:
    """Imports the losses from this package: in place if all the names go to one namespace."""
    assert statement.module is not None  # `references.imported` finds absolute imports alone.
    groups: dict[str, list[references.Imported]] = {}
    for item in found:
        groups.setdefault(item.target.namespace, []).append(item)
    after = " and ".join(f"{signatures.PACKAGE}.{namespace}" for namespace in groups)
    names = ", ".join(item.alias.evaluated_name for item in found)
    change = f"from {dotted(statement.module)} import {names} -> from {after}"
    note = _changed(code, statement, "import", change)
    edits: list[Edit] = []
    if len(found) == len(statements.aliases_of(statement)):
        # The statement stays, for the first namespace.
        namespace = next(iter(groups))
        edits.append(Edit(*code.span(statement.module), f"{signatures.PACKAGE}.{namespace}"))
        for item in groups.pop(namespace):
            if item.target.function != item.alias.evaluated_name:
                edits.append(Edit(*code.span(item.alias.name), _as_named(item, in_place=True)))
    moved = [item for items in groups.values() for item in items]
    if moved:
        edits += statements.take_out(code, statement, [item.alias for item in moved])
        added = "\n".join(
            f"from {signatures.PACKAGE}.{namespace} import {', '.join(map(_as_named, items))}"
            for namespace, items in groups.items()
        )
        edits.append(statements.add_after(code, text, statement, added))
    return edits, note


def _as_named(item: references.Imported, in_place: bool = False) -> str:
    """Returns `nce_loss as x`: the function's name here, under the name that the file uses."""
    alias, name = item.alias, item.target.function
    if alias.asname is not None:
        return name if in_place else f"{name} as {alias.evaluated_alias}"
    return name if name == alias.evaluated_name else f"{name} as {alias.evaluated_name}"
