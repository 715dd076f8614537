"""Rules on tables that make a step touch every class, or that no training reaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

import libcst as cst

from tf_sampled_compat.migrate.code.calls import argument, function_name
from tf_sampled_compat.migrate.code.names import Code, dotted
from tf_sampled_compat.migrate.notes import Note
from tf_sampled_compat.migrate.rules.advice.rule import look, shown
from tf_sampled_compat.migrate.rules.loss_calls import Call

_DEEPEST = 20  # The longest chain of names, transposes and casts that is followed.
_TRANSPOSES = ("transpose", "matrix_transpose", "permute_dimensions", "t")
_CASTS = ("cast", "to_float", "to_double", "to_bfloat16", "saturate_cast")
_PASSED_ON = ("identity", "convert_to_tensor", "read_value", "value", "stop_gradient")
_LAYER_LISTS = ("weights", "trainable_weights", "variables", "trainable_variables", "get_weights")


class Unwrapped(NamedTuple):
    """A table, and the expressions around it.

    Attributes:
      base: The table, without transposes, casts and the like.
      transposes: The expressions that transpose it.
      casts: The expressions that cast it.
    """

    base: cst.CSTNode
    transposes: list[cst.CSTNode]
    casts: list[cst.CSTNode]


def unwrap(code: Code, node: cst.CSTNode) -> Unwrapped:
    """Follows a table through names, transposes and casts to where it comes from."""
    transposes: list[cst.CSTNode] = []
    casts: list[cst.CSTNode] = []
    for _ in range(_DEEPEST):
        node = code.value(node)
        name = function_name(node)
        if isinstance(node, cst.Attribute) and node.attr.value == "T":
            transposes.append(node)
            node = node.value
        elif isinstance(node, cst.Call) and name in _TRANSPOSES + _CASTS + _PASSED_ON:
            if name in _TRANSPOSES:
                transposes.append(node)
            if name in _CASTS:
                casts.append(node)
            inner = _operand(node)
            if inner is None:
                break
            node = inner
        else:
            break
    return Unwrapped(node, transposes, casts)


def _operand(node: cst.Call) -> Optional[cst.BaseExpression]:
    """Returns the table that a transpose, a cast or the like takes."""
    given = next((a.value for a in node.args if a.keyword is None and not a.star), None)
    for keyword in ("a", "x", "value", "input"):
        given = given or argument(node, keyword, None)
    if given is None and isinstance(node.func, cst.Attribute):
        return node.func.value  # table.read_value()
    return given


def pieces(code: Code, node: cst.CSTNode) -> list[cst.CSTNode]:
    """Returns the pieces of a table in a list or tuple; of any other, the table alone."""
    value = code.value(node)
    if isinstance(value, (cst.List, cst.Tuple)):
        return [element.value for element in value.elements]
    if isinstance(value, cst.ListComp):
        return [value.elt]
    return [node]


def advice(code: Code, call: Call) -> Iterator[Note]:
    """Checks a call's weights and biases."""
    for parameter in ("weights", "biases"):
        given = call.arguments.get(parameter)
        if given is None:
            continue
        # All pieces of a list are taken to be alike.
        table = unwrap(code, pieces(code, given)[0])
        if table.transposes and parameter == "weights":
            yield look(
                code, given, "transposed-weights",
                f"the weights are {shown(code, table.transposes[0])}: the gradient of a transpose "
                "is dense, so each step walks all num_classes rows",
                "keep the table as [num_classes, dim], pass it itself, and multiply by it with "
                "tf.matmul(x, table, transpose_b=True)",
            )  # fmt: skip
        if table.casts:
            yield look(
                code, given, "cast-table",
                f"the {parameter} are {shown(code, table.casts[0])}: every step casts the whole "
                "table, all num_classes rows, and the gradient of a cast is dense",
                "pass the table without a cast: inputs of any float dtype go with a float32 table",
            )  # fmt: skip
        if parameter == "weights" and _of_a_layer(table.base):
            copies = "get_weights" in code.text(table.base)
            yield look(
                code, given, "layers-kernel",
                f"the weights are {shown(code, table.base)}: "
                + ("a copy, which no gradient reaches" if copies else
                   "a layer that the model does not track and call is never updated, "
                   "without any error"),
                "let the model own a [num_classes, dim] table (add_weight), compute the loss in "
                "compute_loss, as the README does for Keras, and check that a step changes it",
            )  # fmt: skip


def _of_a_layer(node: cst.CSTNode) -> bool:
    """Returns whether an expression is `layer.kernel`, `layer.weights[0]` or the like."""
    if isinstance(node, cst.Subscript):
        inner = node.value.func if isinstance(node.value, cst.Call) else node.value
        return isinstance(inner, cst.Attribute) and inner.attr.value in _LAYER_LISTS
    return isinstance(node, cst.Attribute) and node.attr.value == "kernel" and bool(dotted(node))
