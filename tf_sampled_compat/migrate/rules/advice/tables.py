"""Tables that make a step walk all classes, or that nothing trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from tf_sampled_compat.migrate.code.calls import argument, function_name
from tf_sampled_compat.migrate.code.names import Code, dotted
from tf_sampled_compat.migrate.notes import Note
from tf_sampled_compat.migrate.rules.advice.rule import look, shown
from tf_sampled_compat.migrate.rules.loss_calls import Call

_TRANSPOSES = ("transpose", "matrix_transpose", "permute_dimensions", "t")
_CASTS = ("cast", "to_float", "to_double", "to_bfloat16", "saturate_cast")
_PASSED_ON = ("identity", "convert_to_tensor", "read_value", "value", "stop_gradient")
_LAYER_LISTS = ("weights", "trainable_weights", "variables", "trainable_variables", "get_weights")


class Unwrapped(NamedTuple):
    """A table, and the expressions around it.

    Attributes:
      base: What is left when transposes, casts and the like are taken off.
      transposes: The expressions that transpose it.
      casts: Those that cast it.
    """

    base: cst.CSTNode
    transposes: list[cst.CSTNode]
    casts: list[cst.CSTNode]


def unwrap(code: Code, node: cst.CSTNode) -> Unwrapped:
    """Follows a table through names, transposes and casts to where it comes from."""
    transposes, casts = [], []
    for _ in range(20):
        node = code.value(node)
        name = function_name(node)
        if isinstance(node, cst.Attribute) and node.attr.value == "T":
            transposes.append(node)
            node = node.value
        elif name in _TRANSPOSES + _CASTS + _PASSED_ON:
            if name in _TRANSPOSES:
                transposes.append(node)
            if name in _CASTS:
                casts.append(node)
            inner = next((a.value for a in node.args if a.keyword is None and not a.star), None)
            for keyword in ("a", "x", "value", "input"):
                inner = inner or argument(node, keyword, None)
            if inner is None and isinstance(node.func, cst.Attribute):
                inner = node.func.value  # table.read_value()
            if inner is None:
                break
            node = inner
        else:
            break
    return Unwrapped(node, transposes, casts)


def pieces(code: Code, node: cst.CSTNode) -> list[cst.CSTNode]:
    """Returns the pieces of a table that is a list or tuple, or the table itself."""
    value = code.value(node)
    if isinstance(value, (cst.List, cst.Tuple)):
        return [element.value for element in value.elements]
    if isinstance(value, cst.ListComp):
        return [value.elt]
    return [node]


def advice(code: Code, call: Call) -> Iterator[Note]:
    """Looks at the weights and biases of a call."""
    for parameter in ("weights", "biases"):
        given = call.arguments.get(parameter)
        if given is None:
            continue
        # Of a list one piece speaks for all.
        table = unwrap(code, pieces(code, given)[0])
        if table.transposes and parameter == "weights":
            yield look(
                code, given, "transposed-weights",
                f"the weights are {shown(code, table.transposes[0])}: the gradient of a transpose "
                "is dense, so each step walks all num_classes rows (some 30 times slower)",
                "keep the table as [num_classes, dim], pass it itself, and multiply by it with "
                "tf.matmul(x, table, transpose_b=True)",
            )  # fmt: skip
        if table.casts:
            yield look(
                code, given, "cast-table",
                f"the {parameter} are {shown(code, table.casts[0])}: every step casts the whole "
                "table, all num_classes rows, and its gradient is dense",
                "pass the table itself: a float32 table takes inputs of any float dtype here",
            )  # fmt: skip
        if parameter == "weights" and _of_a_layer(table.base):
            copies = "get_weights" in code.text(table.base)
            yield look(
                code, given, "layers-kernel",
                f"the weights are {shown(code, table.base)}: "
                + ("a copy, which no gradient reaches" if copies else
                   "a layer that the model does not track and call is never updated, "
                   "and nothing says so"),
                "let the model own a [num_classes, dim] table (add_weight) and compute the loss in "
                "compute_loss, as the README does for Keras; then check that it changes in a step",
            )  # fmt: skip


def _of_a_layer(node: cst.CSTNode) -> bool:
    """Whether an expression is `layer.kernel`, `layer.weights[0]` or the like."""
    if isinstance(node, cst.Subscript):
        inner = node.value.func if isinstance(node.value, cst.Call) else node.value
        return isinstance(inner, cst.Attribute) and inner.attr.value in _LAYER_LISTS
    return isinstance(node, cst.Attribute) and node.attr.value == "kernel" and bool(dotted(node))
