"""Rewrites what refers to a loss: the prefix of an attribute, or the import of a name."""

from __future__ import annotations

import libcst as cst

from tf_sampled_compat.migrate.code.edits import Edit
from tf_sampled_compat.migrate.code.names import Code, dotted
from tf_sampled_compat.migrate.notes import CHANGED, Note
from tf_sampled_compat.migrate.rewriting import imports, statements
from tf_sampled_compat.migrate.rules import references, signatures


def rewrite(code: Code, text: bytes, found: list, era: str) -> tuple[list[Edit], list[Note]]:
    """Returns the edits of a module, and the report of each.

    Args:
      code: The module.
      text: Its bytes.
      found: Its `references.Reference`s.
      era: "0.x", "1.x" or "2.x".
    """
    edits, notes = _imports_of_names(code, text, era)
    if not found:
        return edits, notes + imports.vanished(code, edits)
    ours = imports.our_name(code)
    spans = []
    for reference in found:
        edit = _prefix(code, reference, ours.name)
        edits.append(edit)
        spans.append((edit.start, edit.end))
        before, after = dotted(reference.node), f"{ours.name}.{reference.target.path}"
        span = code.span(reference.node)
        notes.append(Note(CHANGED, "call", *span, f"{before} -> {after}"))
    origins = [origin for reference in found for origin in reference.origins]
    more_edits, more_notes = _imports_of_modules(code, text, origins, spans, ours)
    edits += more_edits + imports.shortened(code, spans)
    return edits, notes + more_notes + imports.vanished(code, edits)


def _prefix(code: Code, reference: references.Reference, ours: str) -> Edit:
    """Replaces as much of `tf.nn.nce_loss` as differs: what stays keeps its line breaks."""
    old = dotted(reference.node).split(".")
    new = [ours, *reference.target.path.split(".")]
    same = 0
    while same < len(old) - 1 and same < len(new) - 1 and old[-1 - same] == new[-1 - same]:
        same += 1
    node = reference.node
    for _ in range(same):
        node = node.value
    return Edit(*code.span(node), ".".join(new[: len(new) - same]))


def _imports_of_modules(code, text, origins, spans, ours) -> tuple[list[Edit], list[Note]]:
    """Adds our import, and takes out those of TensorFlow's modules that nothing uses any more."""
    edits, notes = [], []
    anchors = imports.anchors(code, origins, spans) if ours.statement else []
    dropped: dict = {}
    for statement, alias in imports.unused(code, origins, spans):
        dropped.setdefault(statement, []).append(alias)
    for anchor, is_global in anchors:
        added = f"global {ours.name}\n{ours.statement}" if is_global else ours.statement
        at = code.span(anchor)
        notes.append(Note(CHANGED, "import", *at, f"added: {ours.statement}"))
        if anchor in dropped and len(dropped[anchor]) == len(anchor.names) and not is_global:
            edits.append(Edit(*at, added))
        else:
            edits.append(imports.insertion(code, text, anchor, added))
    replaced = {(edit.start, edit.end) for edit in edits}
    unneeded = []
    for statement, aliases in dropped.items():
        span = code.span(statement)
        names = ", ".join(code.text(alias).rstrip(", ") for alias in aliases)
        notes.append(Note(CHANGED, "import", *span, f"dropped, as nothing uses it: {names}"))
        if span in replaced:
            continue
        if len(aliases) == len(statement.names):
            unneeded.append(statement)
        else:
            edits += statements.take_out(code, statement, aliases)
    return edits + statements.remove(code, text, unneeded), notes


def _imports_of_names(code: Code, text: bytes, era: str) -> tuple[list[Edit], list[Note]]:
    edits, notes = [], []
    for node in code.nodes:
        if isinstance(node, cst.ImportFrom):
            found = references.imported(node, era)
            if found:
                more_edits, note = _import_of_names(code, text, node, found)
                edits += more_edits
                notes.append(note)
    return edits, notes


def _import_of_names(code, text, statement, found) -> tuple[list[Edit], Note]:
    """Imports the losses from here: in place if all names move together, else on lines added."""
    groups: dict = {}
    for item in found:
        groups.setdefault(item.target.namespace, []).append(item)
    after = [f"{signatures.PACKAGE}.{namespace}" for namespace in groups]
    names = ", ".join(item.alias.evaluated_name for item in found)
    note = Note(
        CHANGED, "import", *code.span(statement),
        f"from {dotted(statement.module)} import {names} -> from {' and '.join(after)}",
    )  # fmt: skip
    edits: list[Edit] = []
    if len(found) == len(statement.names):
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
    """`nce_loss as x`: the target's name, under the name that the file uses."""
    alias, name = item.alias, item.target.function
    if alias.asname is not None:
        return name if in_place else f"{name} as {alias.evaluated_alias}"
    return name if name == alias.evaluated_name else f"{name} as {alias.evaluated_name}"
