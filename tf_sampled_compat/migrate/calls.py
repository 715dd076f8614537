"""Calls of the losses, their arguments by name."""

from __future__ import annotations

from typing import NamedTuple, Optional

import libcst as cst

from tf_sampled_compat.migrate import catalogue, references
from tf_sampled_compat.migrate.names import Code, dotted


class Call(NamedTuple):
    """A call, or a `functools.partial`, of a loss.

    Attributes:
      node: The call.
      target: The loss, as this package has it.
      arguments: The expressions it passes, by parameter.
      hidden: Whether `*args` or `**kwargs` pass more.
    """

    node: cst.Call
    target: catalogue.Target
    arguments: dict[str, cst.BaseExpression]
    hidden: bool


def calls(code: Code, era: str) -> list[Call]:
    """Returns the calls of TensorFlow's losses, and of this package's."""
    found = []
    for node in code.nodes:
        if not isinstance(node, cst.Call):
            continue
        target = references.called(code, node.func, era)
        if target is not None:
            found.append(_bound(node, target, node.args))
        elif function_name(node) == "partial" and node.args and not node.args[0].star:
            target = references.called(code, node.args[0].value, era)
            if target is not None:
                found.append(_bound(node, target, node.args[1:]))
    return found


def function_name(node: cst.CSTNode) -> str:
    """Returns `transpose` for a call `tf.transpose(…)`, and "" for what is no such call."""
    if not isinstance(node, cst.Call):
        return ""
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value
    return dotted(node.func) or ""


def argument(node: cst.Call, name: str, position: Optional[int]) -> Optional[cst.BaseExpression]:
    """Returns the expression a call passes for a parameter, or None."""
    for at, arg in enumerate(node.args):
        if arg.star:
            return None
        if arg.keyword is None and at == position:
            return arg.value
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    return None


def literal(code: Code, node: Optional[cst.CSTNode]):
    """Returns the number or string that an expression is, or a name it was assigned to; or None."""
    if node is None:
        return None
    node = code.value(node)
    if isinstance(node, (cst.Integer, cst.SimpleString)):
        return node.evaluated_value
    return None


def _bound(node: cst.Call, target: catalogue.Target, args) -> Call:
    parameters, bound, hidden = target.signature.parameters, {}, False
    for at, arg in enumerate(args):
        if arg.star:
            hidden = True
        elif arg.keyword is not None:
            bound[arg.keyword.value] = arg.value
        elif not hidden and at < len(parameters):
            bound[parameters[at]] = arg.value
    return Call(node, target, bound, hidden)
