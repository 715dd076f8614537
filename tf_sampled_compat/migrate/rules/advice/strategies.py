"""Tables in pieces that are read as "mod" here and as "div" there."""

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
    """A place that reads a table by a strategy."""

    node: cst.CSTNode
    table: cst.CSTNode
    strategy: str
    how: str


def advice(code: Code, found: list[Call], era: str) -> Iterator[Note]:
    """Compares how a file's losses, lookups and products read the same table."""
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
                    f'trains by "{strategy}", but {shown(code, use.node)} reads the table by '
                    f'"{use.strategy}" ({use.how}): with more than one piece, other rows',
                    'pass partition_strategy="div" everywhere (a table trained by "mod" must be '
                    "re-sharded for it); with one piece the two are the same",
                )  # fmt: skip
                break


def _strategy(code: Code, call: Call) -> Optional[str]:
    given = call.arguments.get("partition_strategy")
    if given is not None:
        return literal(code, given)
    return None if call.hidden else call.target.signature.strategy


def _other_uses(code: Code, era: str) -> Iterator[Use]:
    for node in code.nodes:
        name = function_name(node)
        if name in _MATMULS:
            for arg in node.args:
                yield Use(node, arg.value, "div", "a product with the concatenated table")
        elif isinstance(node, cst.BinaryOperation) and isinstance(
            node.operator, cst.MatrixMultiply
        ):
            for side in (node.left, node.right):
                yield Use(node, side, "div", "a product with the concatenated table")
        elif name in _FULL or name in _LOOKUPS:
            default = "div" if name in _FULL or era == "2.x" else "mod"
            position = 2 if name == "embedding_lookup" and era != "2.x" else None
            given = argument(node, "partition_strategy", position)
            strategy = default if given is None else literal(code, given)
            table = argument(node, "weights" if name in _FULL else "params", 0)
            if table is not None and strategy in ("mod", "div"):
                yield Use(node, table, strategy, "said so" if given is not None else "its default")


def _same(code: Code, table: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Whether two expressions are the same table, as far as names go."""
    table, other = _spelled(code, table), _spelled(code, other)
    if dotted(table) is None or dotted(table) != dotted(other):
        return False
    if isinstance(table, cst.Name):
        return set(code.assignments(table)) == set(code.assignments(other))
    return True


def _spelled(code: Code, node: cst.CSTNode) -> cst.CSTNode:
    """The name of a table inside transposes, concatenations and lists of it."""
    while isinstance(node, cst.Call) and node.args:
        if function_name(node) not in ("transpose", "concat", "cast", "identity", "stack"):
            break
        node = node.args[0].value
    if isinstance(node, cst.Name) and isinstance(code.value(node), cst.Call):
        inner = code.value(node)
        if function_name(inner) in ("transpose", "concat", "cast", "identity") and inner.args:
            return _spelled(code, inner.args[0].value)
    return node


def _contiguous(code: Code, call: Call, weights: cst.CSTNode) -> Iterator[Note]:
    if any(_is_partitioned(code, unwrap(code, piece).base) for piece in pieces(code, weights)):
        yield look(
            code, call.node, "contiguous-mod",
            f'{shown(code, weights)} is a PartitionedVariable, whose pieces are contiguous, read '
            'by "mod": a fixed permutation of its rows, as TensorFlow 1 has it',
            'train with partition_strategy="div" if nothing is trained yet; else evaluate by '
            '"mod" too, or re-shard the checkpoint',
        )  # fmt: skip


def _is_partitioned(code: Code, node: cst.CSTNode) -> bool:
    """Whether a table is made by a partitioner, its own or that of a scope around it."""
    name = function_name(node)
    if name == "create_partitioned_variables":
        return True
    if _returned(code, node):
        return any(_is_partitioned(code, value) for value in _returned(code, node))
    if name != "get_variable":
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
    if function_name(value) == "fixed_size_partitioner":
        return literal(code, argument(value, "num_shards", 0)) != 1
    return True


def _is_one_piece(code: Code, weights: cst.CSTNode) -> bool:
    if not isinstance(code.value(weights), cst.Call):
        return False
    base = unwrap(code, weights).base
    if _returned(code, base):
        return all(_is_one_piece(code, value) for value in _returned(code, base))
    if function_name(base) == "get_variable":
        return not _is_partitioned(code, base)
    return function_name(base) in _ONE_PIECE


def _returned(code: Code, node: cst.CSTNode) -> list[cst.CSTNode]:
    """What a call of a function of this file may return; of any other expression, nothing."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Name):
        return []
    definitions = [getattr(a, "node", None) for a in code.assignments(node.func)]
    if len(definitions) != 1 or not isinstance(definitions[0], cst.FunctionDef):
        return []
    function = definitions[0]
    inside = (n for n in code.nodes if isinstance(n, cst.Return) and n.value is not None)
    found = [n.value for n in inside if code.enclosing(n, cst.FunctionDef) is function]
    # One that calls itself returns more than can be seen here.
    calls = (n for value in found for n in [value, *value.children] if isinstance(n, cst.Call))
    return [] if any(function_name(n) == function.name.value for n in calls) else found
