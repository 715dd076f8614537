"""Reads a call: the function's name, an argument, a literal."""

from __future__ import annotations

from typing import Optional, Union

import libcst as cst

from tf_sampled_compat.migrate.code.names import Code, dotted


def function_name(node: cst.CSTNode) -> str:
    """Returns "transpose" for a call `tf.transpose(…)`, and "" for any other expression."""
    if not isinstance(node, cst.Call):
        return ""
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value
    return dotted(node.func) or ""


def argument(node: cst.Call, name: str, position: Optional[int]) -> Optional[cst.BaseExpression]:
    """Returns the expression that a call passes for a parameter, or None.

    Args:
      node: The call.
      name: The parameter.
      position: Its position, or None if it is passed by name only.
    """
    for at, arg in enumerate(node.args):
        if arg.star:
            return None
        if arg.keyword is None and at == position:
            return arg.value
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    return None


def literal(code: Code, node: Optional[cst.CSTNode]) -> Union[int, str, bytes, None]:
    """Returns the whole number or string that an expression is or names, or None."""
    if node is None:
        return None
    node = code.value(node)
    if isinstance(node, (cst.Integer, cst.SimpleString)):
        return node.evaluated_value
    return None
