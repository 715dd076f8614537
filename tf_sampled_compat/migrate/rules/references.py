"""Finds references to the losses: attributes, names, and imports by name."""

from __future__ import annotations

from typing import NamedTuple, Optional, Union

import libcst as cst

from tf_sampled_compat.migrate.code.names import Code, Origin, dotted
from tf_sampled_compat.migrate.rules import signatures, which_namespace


class Reference(NamedTuple):
    """An attribute that is TensorFlow's, its replacement, and the imports behind it."""

    node: cst.Attribute
    target: which_namespace.Target
    origins: tuple[Origin, ...]


class Doubt(NamedTuple):
    """An attribute that looks like a loss of TensorFlow's and may be something else."""

    node: cst.CSTNode
    reason: str
    way_out: str


class Imported(NamedTuple):
    """A loss that `from … import` names."""

    statement: cst.ImportFrom
    alias: cst.ImportAlias
    target: which_namespace.Target


def attribute(code: Code, node: cst.Attribute, era: str) -> Union[Reference, Doubt, None]:
    """Returns what an attribute `….nce_loss` refers to, or None if that is nothing of TensorFlow's.

    Args:
      code: The module.
      node: The attribute. Its last name is one of `which_namespace.MENTIONS`.
      era: "0.x", "1.x" or "2.x".
    """
    spelled = dotted(node)
    meanings = code.meanings(node)
    targets = {which_namespace.target(m.path or "", era, spelled or "") for m in meanings}
    known = {target for target in targets if target is not None}
    if len(targets) == 1 and known:
        [target] = known
        origins = tuple(origin for m in meanings for origin in m.origins)
        return Reference(node, target, origins)
    if known:
        where = sorted(m.path.rpartition(".")[0] if m.path else "something else" for m in meanings)
        return Doubt(
            node,
            f"{spelled} comes from {' or '.join(dict.fromkeys(where))}, which differ",
            "import only one of them, or call the right namespace of tf_sampled_compat by hand",
        )
    if any(m.path and m.path.startswith(signatures.PACKAGE + ".") for m in meanings):
        return None
    if any(which_namespace.is_private(m.path or "") for m in meanings):
        return None  # TensorFlow's for certain: `advice.elsewhere` reports it.
    module = f".{spelled}".rpartition(".")[0]
    if spelled and (
        (".nn." in f"{module}." and node.attr.value in which_namespace.IN_NN)
        or (module.endswith("contrib.opt") and node.attr.value in which_namespace.OPTIMIZERS)
    ):
        return Doubt(
            node,
            f"{spelled} looks like TensorFlow's, but this file does not say where "
            f"{spelled.split('.')[0]} comes from",
            "import it from tensorflow here and run again, or change the call by hand",
        )
    return None


def called(code: Code, node: cst.CSTNode, era: str) -> Optional[which_namespace.Target]:
    """Returns the loss of TensorFlow's or of this package that an expression is, or None."""
    found = set()
    for meaning in code.meanings(node):
        path = meaning.path or ""
        found.add(
            which_namespace.own(path) or which_namespace.target(path, era, dotted(node) or "")
        )
    target = found.pop() if len(found) == 1 else None
    return target if target is not None and target.function in signatures.FUNCTIONS else None


def imported(statement: cst.ImportFrom, era: str) -> list[Imported]:
    """Returns the losses of TensorFlow's that a `from … import` names."""
    if statement.relative or statement.module is None:
        return []
    if isinstance(statement.names, cst.ImportStar):
        return []
    module = dotted(statement.module)
    found: list[Imported] = []
    for alias in statement.names:
        target = which_namespace.target(f"{module}.{alias.evaluated_name}", era)
        if target is not None:
            found.append(Imported(statement, alias, target))
    return found
