"""Finds the calls of the losses, with their arguments by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from tf_sampled_compat.migrate.code.calls import function_name
from tf_sampled_compat.migrate.code.names import Code
from tf_sampled_compat.migrate.rules import references, which_namespace


class Call(NamedTuple):
    """A call, or a `functools.partial`, of a loss.

    Attributes:
      node: The call.
      target: The loss of this package that it calls, or will call.
      arguments: The expressions that it passes, by parameter.
      hidden: Whether `*args` or `**kwargs` pass more.
    """

    node: cst.Call
    target: which_namespace.Target
    arguments: dict[str, cst.BaseExpression]
    hidden: bool


def loss_calls(code: Code, era: str) -> list[Call]:
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


def _bound(node: cst.Call, target: which_namespace.Target, args: Sequence[cst.Arg]) -> Call:
    parameters, hidden = target.signature.parameters, False
    bound: dict[str, cst.BaseExpression] = {}
    for at, arg in enumerate(args):
        if arg.star:
            hidden = True
        elif arg.keyword is not None:
            bound[arg.keyword.value] = arg.value
        elif not hidden and at < len(parameters):
            bound[parameters[at]] = arg.value
    return Call(node, target, bound, hidden)
