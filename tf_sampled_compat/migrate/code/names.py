"""What a name in the code stands for: imports, aliases of imports, and names assigned once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

import libcst as cst
from libcst.metadata import (
    Assignment,
    ByteSpanPositionProvider,
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    ScopeProvider,
)
from libcst.metadata.scope_provider import GlobalScope

_DEEPEST = 20  # How many names that stand for each other are followed.


class Origin(NamedTuple):
    """An import that a name comes from."""

    statement: cst.CSTNode
    assignment: ImportAssignment
    is_global: bool


class Meaning(NamedTuple):
    """What one assignment makes of an expression: a dotted path, or None for what is no import."""

    path: Optional[str]
    origins: tuple[Origin, ...] = ()


def dotted(node: cst.CSTNode) -> Optional[str]:
    """Returns `a.b.c` of names and attributes, or None for any other expression."""
    parts = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return ".".join([node.value, *reversed(parts)])


class Code:
    """A parsed module, with where its nodes lie and what its names mean."""

    def __init__(self, module: cst.Module, offset):
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self.module = wrapper.module
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._scopes = wrapper.resolve(ScopeProvider)
        self._offset = offset
        self.nodes = list(_walk(self.module))
        self._attributes = self._attributes_assigned_once()

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Returns where a node starts and ends, in bytes."""
        span = self._spans[node]
        return self._offset(span.start), self._offset(span.start + span.length)

    def parent(self, node: cst.CSTNode) -> Optional[cst.CSTNode]:
        """Returns the node around a node."""
        return self._parents.get(node)

    def enclosing(self, node: cst.CSTNode, kinds) -> Optional[cst.CSTNode]:
        """Returns the closest node around a node that is of one of the kinds."""
        node = self.parent(node)
        while node is not None and not isinstance(node, kinds):
            node = self.parent(node)
        return node

    def text(self, node: cst.CSTNode) -> str:
        """Returns the code of a node on one line."""
        return " ".join(self.module.code_for_node(node).split())

    def assignments(self, name: cst.Name) -> list:
        """Returns the assignments that a name may have its value from, in no order."""
        scope = self._scopes.get(name)
        try:
            return list(scope[name.value]) if scope is not None else []
        except KeyError:
            return []

    def meanings(self, node: cst.CSTNode, depth: int = 0) -> list[Meaning]:
        """Returns what an expression stands for, once for each assignment it may come from.

        A name that is never assigned has no meaning; what is no import means a path of None.
        """
        if depth > _DEEPEST:
            return [Meaning(None)]
        if isinstance(node, cst.Attribute):
            return [
                Meaning(m.path and f"{m.path}.{node.attr.value}", m.origins)
                for m in self.meanings(node.value, depth)
            ]
        if not isinstance(node, cst.Name):
            return [Meaning(None)]
        return [
            meaning
            for assignment in self.assignments(node)
            for meaning in self._meanings_of(assignment, node, depth)
        ]

    def value(self, node: cst.CSTNode) -> cst.CSTNode:
        """Returns what a name or `self.attribute` was assigned, if once; else the node itself."""
        for _ in range(_DEEPEST):
            found = None
            if isinstance(node, cst.Name):
                values = [self._assigned(a) for a in self.assignments(node)]
                found = values[0] if len(values) == 1 else None
            elif isinstance(node, cst.Attribute):
                found = self._attributes.get(dotted(node))
            if found is None or found is node:
                return node
            node = found
        return node

    def _meanings_of(self, assignment, node, depth) -> list[Meaning]:
        if isinstance(assignment, ImportAssignment):
            path = _imported(assignment)
            is_global = isinstance(assignment.scope, GlobalScope)
            return [Meaning(path, (Origin(assignment.node, assignment, is_global),))]
        value = self._assigned(assignment)
        if value is None or value is node:
            return [Meaning(None)]
        if isinstance(value, cst.Name) and value.value == "None":
            return []  # `except ImportError: tf = None`: whoever uses it then fails anyway.
        return self.meanings(value, depth + 1)

    def _assigned(self, assignment) -> Optional[cst.CSTNode]:
        """The expression of `name = expression`, or None for any other way to bind a name."""
        if not isinstance(assignment, Assignment) or not isinstance(assignment.node, cst.Name):
            return None
        return self._right_side(assignment.node)

    def _right_side(self, target) -> Optional[cst.CSTNode]:
        parent = self.parent(target)
        if isinstance(parent, cst.AssignTarget):
            return self.parent(parent).value
        if isinstance(parent, cst.AnnAssign) and parent.target is target:
            return parent.value
        return None

    def _attributes_assigned_once(self) -> dict:
        found: dict = {}
        for node in self.nodes:
            if isinstance(node, cst.Attribute) and self._right_side(node) is not None:
                found.setdefault(dotted(node), []).append(self._right_side(node))
        return {name: values[0] for name, values in found.items() if name and len(values) == 1}


def _walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def _imported(assignment: ImportAssignment) -> Optional[str]:
    """The dotted path of what an import binds to a name."""
    node = assignment.node
    if isinstance(node, cst.Import):
        for alias in node.names:
            if alias.asname is None:
                # `import a.b` binds a.
                if alias.evaluated_name.split(".")[0] == assignment.name.split(".")[0]:
                    return assignment.name.split(".")[0]
            elif alias.evaluated_alias == assignment.name:
                return alias.evaluated_name
        return None
    if node.relative or isinstance(node.names, cst.ImportStar) or node.module is None:
        return None
    for alias in node.names:
        if (alias.evaluated_alias or alias.evaluated_name) == assignment.name:
            return f"{dotted(node.module)}.{alias.evaluated_name}"
    return None
