"""Rules on tables that one place reads as "mod" and another as "div"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

import libcst as cst

from tf_sampled_compat.migrate.code.calls import argument, function_name, literal
from tf_sampled_compat.migrate.code.names import Code, dotted
from tf_sampled_compat.migrate.notes import Note
from tf_sampled_compat.migrate.rules.advice.rule import look, shown
from tf_sampled_compat.migrate.rules.advice.tables import pieces, unwrap
from tf_sampled_compat.migrate.rules.loss_calls import Call

_MATMULS = ("matmul", "xw_plus_b", "einsum", "tensordot", "dot")
_FULL = ("full_softmax_loss", "full_sigmoid_loss", "full_top_k")
_LOOKUPS = ("embedding_lookup", "embedding_lookup_sparse", "safe_embedding_lookup_sparse")
_ONE_PIECE = (
    "Variable", "add_weight", "add_variable", "zeros", "ones", "constant", "placeholder",
    "truncated_normal", "random_uniform", "random_normal", "normal", "uniform",
)  # fmt: skip


class Use(NamedTuple):
    """A place that reads a table.

    Attributes:
      node: The reading expression.
      table: The table in it.
      strategy: "mod" or "div".
      how: The reason to think so, in words.
    """

    node: cst.CSTNode
    table: cst.CSTNode
    strategy: str
    how: str


def advice(code: Code, found: list[Call], era: str) -> Iterator[Note]:
    """Compares the strategies by which losses, lookups and products read the same table."""
    others = list(_other_uses(code, era))
    for call in found:
        weights, strategy = call.arguments.get("weights"), _strategy(code, call)
        if weights is None or strategy is None:
            continue
        if strategy == "mod":
            yield from _contiguous(code, call, weights)
        if _is_one_piece(code, weights):
            continue
        for use in others:
            if use.strategy != strategy and _same(code, weights, use.table):
                yield look(
                    code, call.node, "mod-beside-div",
                    f'the loss reads the table as "{strategy}", but {shown(code, use.node)} reads '
                    f'it as "{use.strategy}" ({use.how}): if it has several pieces, they read '
                    "different rows",
                    'pass partition_strategy="div" everywhere, and re-shard a table that was '
                    'trained as "mod"; a table of one piece needs no change',
                )  # fmt: skip
                break


def _strategy(code: Code, call: Call) -> Optional[str]:
    given = call.arguments.get("partition_strategy")
    if given is not None:
        strategy = literal(code, given)
        return strategy if isinstance(strategy, str) else None
    return None if call.hidden else call.target.signature.strategy


def _other_uses(code: Code, era: str) -> Iterator[Use]:
    product = "a product with the concatenated table"
    for node in code.nodes:
        if isinstance(node, cst.Call) and function_name(node) in _MATMULS:
            for arg in node.args:
                yield Use(node, arg.value, "div", product)
        elif isinstance(node, cst.Call):
            yield from _lookup(code, node, era)
        elif isinstance(node, cst.BinaryOperation) and isinstance(
            node.operator, cst.MatrixMultiply
        ):
            for side in (node.left, node.right):
                yield Use(node, side, "div", product)


def _lookup(code: Code, node: cst.Call, era: str) -> Iterator[Use]:
    """Yields the use of a table by an exact loss or a lookup, if the call is one."""
    name = function_name(node)
    if name not in _FULL and name not in _LOOKUPS:
        return
    default = "div" if name in _FULL or era == "2.x" else "mod"
    position = 2 if name == "embedding_lookup" and era != "2.x" else None
    given = argument(node, "partition_strategy", position)
    strategy = default if given is None else literal(code, given)
    table = argument(node, "weights" if name in _FULL else "params", 0)
    if table is not None and isinstance(strategy, str) and strategy in ("mod", "div"):
        yield Use(node, table, strategy, "its default" if given is None else "as it says")


def _same(code: Code, table: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Returns whether two expressions name the same table."""
    table, other = _spelled(code, table), _spelled(code, other)
    if dotted(table) is None or dotted(table) != dotted(other):
        return False
    if isinstance(table, cst.Name) and isinstance(other, cst.Name):
        return set(code.assignments(table)) == set(code.assignments(other))
    return True


def _spelled(code: Code, node: cst.CSTNode) -> cst.CSTNode:
    """Unpacks transposes, concatenations and the like, down to the table's name."""
    while isinstance(node, cst.Call) and node.args:
        if function_name(node) not in ("transpose", "concat", "cast", "identity", "stack"):
            break
        node = node.args[0].value
    inner = code.value(node)
    if isinstance(node, cst.Name) and isinstance(inner, cst.Call):
        if function_name(inner) in ("transpose", "concat", "cast", "identity") and inner.args:
            return _spelled(code, inner.args[0].value)
    return node


def _contiguous(code: Code, call: Call, weights: cst.CSTNode) -> Iterator[Note]:
    if any(_is_partitioned(code, unwrap(code, piece).base) for piece in pieces(code, weights)):
        yield look(
            code, call.node, "contiguous-mod",
            f'{shown(code, weights)} is a PartitionedVariable, whose pieces are contiguous, and is '
            'read as "mod": its rows are permuted, as in TensorFlow 1',
            'train with partition_strategy="div" if nothing is trained yet; else evaluate as '
            '"mod" too, or re-shard the checkpoint',
        )  # fmt: skip


def _is_partitioned(code: Code, node: cst.CSTNode) -> bool:
    """Returns whether a table has a partitioner, its own or that of a scope around it."""
    name = function_name(node)
    if name == "create_partitioned_variables":
        return True
    returned = _returned(code, node)
    if returned:
        return any(_is_partitioned(code, value) for value in returned)
    if name != "get_variable" or not isinstance(node, cst.Call):
        return False
    own = argument(node, "partitioner", None)
    if own is not None:
        return _partitions(code, own)
    around = code.enclosing(node, cst.With)
    while around is not None:
        for item in around.items:
            if isinstance(item.item, cst.Call):
                given = argument(item.item, "partitioner", None)
                if given is not None:
                    return _partitions(code, given)
        around = code.enclosing(around, cst.With)
    return False


def _partitions(code: Code, partitioner: cst.CSTNode) -> bool:
    value = code.value(partitioner)
    if isinstance(value, cst.Name) and value.value == "None":
        return False
    if isinstance(value, cst.Call) and function_name(value) == "fixed_size_partitioner":
        return literal(code, argument(value, "num_shards", 0)) != 1
    return True


def _is_one_piece(code: Code, weights: cst.CSTNode) -> bool:
    if not isinstance(code.value(weights), cst.Call):
        return False
    base = unwrap(code, weights).base
    returned = _returned(code, base)
    if returned:
        return all(_is_one_piece(code, value) for value in returned)
    if function_name(base) == "get_variable":
        return not _is_partitioned(code, base)
    return function_name(base) in _ONE_PIECE


def _returned(code: Code, node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Returns what a call of a function of this file may return; [] for other expressions."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Name):
        return []
    definitions = [getattr(a, "node", None) for a in code.assignments(node.func)]
    if len(definitions) != 1 or not isinstance(definitions[0], cst.FunctionDef):
        return []
    function = definitions[0]
    found = [
        n.value
        for n in code.nodes
        if isinstance(n, cst.Return) and n.value is not None
        if code.enclosing(n, cst.FunctionDef) is function
    ]
    # A recursive function may return more than is visible here.
    calls = (n for value in found for n in [value, *value.children] if isinstance(n, cst.Call))
    return [] if any(function_name(n) == function.name.value for n in calls) else found
