"""What a name in the code stands for: imports, aliases of imports, and names assigned once.

This is not LibCST's `QualifiedNameProvider`: that gives a name without the import statement that
bound it, which `rewriting.imports` needs, and it does not follow `nn = tf.nn`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Optional, TypeVar, Union

import libcst as cst
from libcst.metadata import (
    Assignment,
    BaseAssignment,
    ByteSpanPositionProvider,
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    ScopeProvider,
)
from libcst.metadata.scope_provider import GlobalScope

_DEEPEST = 20  # The longest chain of names, each assigned to the next, that is followed.
_Node = TypeVar("_Node", bound=cst.CSTNode)
Span = tuple[int, int]  # byte offsets: the start, and the end behind it
ImportStatement = Union[cst.Import, cst.ImportFrom]


class Origin(NamedTuple):
    """The import that binds a name.

    Attributes:
      statement: The import statement.
      assignment: The name it binds.
      is_global: Whether the name is one of the module, not of a function or class.
    """

    statement: ImportStatement
    assignment: ImportAssignment
    is_global: bool


class Meaning(NamedTuple):
    """What an expression stands for, if one of its assignments is the one that counts.

    Attributes:
      path: The dotted path of something imported, or None for anything else.
      origins: The imports behind it.
    """

    path: Optional[str]
    origins: tuple[Origin, ...] = ()


def dotted(node: cst.CSTNode) -> Optional[str]:
    """Returns "a.b.c" for an expression of names and attributes, or None for any other."""
    parts = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return ".".join([node.value, *reversed(parts)])


class Code:
    """A parsed module: the spans of its nodes, and what its names stand for.

    Args:
      module: The module.
      offset: Converts a byte offset in the parsed text to one in the code.
    """

    def __init__(self, module: cst.Module, offset: Callable[[int], int]):
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self.module = wrapper.module
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._scopes = wrapper.resolve(ScopeProvider)
        self._offset = offset
        self.nodes = list(_walk(self.module))
        self._attributes = self._attributes_assigned_once()

    def span(self, node: cst.CSTNode) -> Span:
        """Returns the byte offsets at which a node starts and ends."""
        span = self._spans[node]
        return self._offset(span.start), self._offset(span.start + span.length)

    def parent(self, node: Optional[cst.CSTNode]) -> Optional[cst.CSTNode]:
        """Returns the node around a node, or None above the module."""
        return None if node is None else self._parents.get(node)

    def enclosing(
        self, node: cst.CSTNode, kinds: Union[type[_Node], tuple[type[_Node], ...]]
    ) -> Optional[_Node]:
        """Returns the closest node around a node that is of one of the kinds."""
        around = self.parent(node)
        while around is not None and not isinstance(around, kinds):
            around = self.parent(around)
        return around

    def text(self, node: cst.CSTNode) -> str:
        """Returns the code of a node, on one line."""
        return " ".join(self.module.code_for_node(node).split())

    def assignments(self, name: cst.Name) -> list[BaseAssignment]:
        """Returns the assignments that may bind a name, in no particular order."""
        scope = self._scopes.get(name)
        try:
            return list(scope[name.value]) if scope is not None else []
        except KeyError:
            return []

    def meanings(self, node: cst.CSTNode, depth: int = 0) -> list[Meaning]:
        """Returns what an expression may stand for: a Meaning for each assignment behind it.

        The list is empty for a name that is never assigned.
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
        """Returns the expression assigned to a name or `self.attribute`, if there is one only.

        Any other node is returned as it is.
        """
        for _ in range(_DEEPEST):
            found = None
            if isinstance(node, cst.Name):
                values = [self._assigned(a) for a in self.assignments(node)]
                found = values[0] if len(values) == 1 else None
            elif isinstance(node, cst.Attribute):
                found = self._attributes.get(dotted(node) or "")
            if found is None or found is node:
                return node
            node = found
        return node

    def _meanings_of(self, assignment: BaseAssignment, node: cst.Name, depth: int) -> list[Meaning]:
        if isinstance(assignment, ImportAssignment):
            statement = assignment.node
            assert isinstance(statement, (cst.Import, cst.ImportFrom))
            is_global = isinstance(assignment.scope, GlobalScope)
            path = _imported(assignment.name, statement)
            return [Meaning(path, (Origin(statement, assignment, is_global),))]
        value = self._assigned(assignment)
        if value is None or value is node:
            return [Meaning(None)]
        if isinstance(value, cst.Name) and value.value == "None":
            return []  # `except ImportError: tf = None`: a use of it fails anyway.
        return self.meanings(value, depth + 1)

    def _assigned(self, assignment: BaseAssignment) -> Optional[cst.BaseExpression]:
        """Returns the expression of `name = expression`, or None for other ways to bind a name."""
        if not isinstance(assignment, Assignment) or not isinstance(assignment.node, cst.Name):
            return None
        return self._right_side(assignment.node)

    def _right_side(self, target: cst.CSTNode) -> Optional[cst.BaseExpression]:
        parent = self.parent(target)
        if isinstance(parent, cst.AssignTarget):
            statement = self.parent(parent)
            assert isinstance(statement, cst.Assign)
            return statement.value
        if isinstance(parent, cst.AnnAssign) and parent.target is target:
            return parent.value
        return None

    def _attributes_assigned_once(self) -> dict[str, cst.BaseExpression]:
        found: dict[str, list[cst.BaseExpression]] = {}
        for node in self.nodes:
            if isinstance(node, cst.Attribute):
                name, value = dotted(node), self._right_side(node)
                if name and value is not None:
                    found.setdefault(name, []).append(value)
        return {name: values[0] for name, values in found.items() if len(values) == 1}


def _walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def _imported(name: str, statement: ImportStatement) -> Optional[str]:
    """Returns the dotted path of what an import binds to a name."""
    if isinstance(statement, cst.Import):
        for alias in statement.names:
            if alias.asname is None:
                # `import a.b` binds a.
                if alias.evaluated_name.split(".")[0] == name.split(".")[0]:
                    return name.split(".")[0]
            elif alias.evaluated_alias == name:
                return alias.evaluated_name
        return None
    if statement.relative or isinstance(statement.names, cst.ImportStar):
        return None
    if statement.module is None:
        return None
    for alias in statement.names:
        if (alias.evaluated_alias or alias.evaluated_name) == name:
            return f"{dotted(statement.module)}.{alias.evaluated_name}"
    return None
