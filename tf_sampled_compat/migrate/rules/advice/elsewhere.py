"""Uses of a loss that are not rewritten: strings, stars, assignments, TensorFlow's private part."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from tf_sampled_compat.migrate.code.calls import function_name
from tf_sampled_compat.migrate.code.names import Code, dotted
from tf_sampled_compat.migrate.notes import Note
from tf_sampled_compat.migrate.rules import which_namespace
from tf_sampled_compat.migrate.rules.advice.rule import look, shown

_BY_NAME = ("getattr", "hasattr", "setattr", "delattr")
_IN_A_STRING = re.compile(
    r"(?:tf|tensorflow)(?:\.\w+)*\.nn\.(?:\w+\.)*(?:"
    + "|".join(sorted(which_namespace.LOSSES))
    + ")"
)
_PRIVATE = "_compute_sampled_logits"
_BY_HAND = "write tf_sampled_compat's path there by hand, or call tf_sampled_compat.install()"


def advice(code: Code) -> Iterator[Note]:
    """Looks at everything but the references and calls."""
    for node in code.nodes:
        if isinstance(node, cst.Call):
            yield from _by_name(code, node)
        elif isinstance(node, cst.SimpleString):
            yield from _string(code, node)
        elif isinstance(node, cst.ImportFrom):
            yield from _star(code, node)
            yield from _private_import(code, node)
        elif isinstance(node, cst.Attribute) and node.attr.value == _PRIVATE:
            yield from _private_use(code, node)


def _private_import(code: Code, node: cst.ImportFrom) -> Iterator[Note]:
    if isinstance(node.names, cst.ImportStar) or node.module is None or node.relative:
        return
    if not (dotted(node.module) or "").startswith("tensorflow"):
        return
    for alias in node.names:
        if alias.evaluated_name == _PRIVATE:
            yield _private(code, alias)


def _private_use(code: Code, node: cst.Attribute) -> Iterator[Note]:
    if any((meaning.path or "").startswith("tensorflow") for meaning in code.meanings(node)):
        yield _private(code, node)


def _private(code: Code, node: cst.CSTNode) -> Note:
    return look(
        code, node, "private-function",
        f"{shown(code, node)} is a private function of TensorFlow and is left as it is: it stays "
        "TensorFlow's own, and a release may change or remove it",
        "call the loss that is computed from it, sampled_softmax_loss or nce_loss of "
        "tf_sampled_compat.compat.v1.nn, if that is what the code does; else keep it",
    )  # fmt: skip


def is_assigned(code: Code, node: cst.CSTNode) -> bool:
    """Whether an expression is what is assigned to, or deleted: `tf.nn.nce_loss = mine`."""
    return isinstance(code.parent(node), (cst.AssignTarget, cst.Del, cst.AugAssign))


def assigned(code: Code, node: cst.Attribute) -> Note:
    """Returns the note on an assignment to one of TensorFlow's losses."""
    return look(
        code, node, "assigned",
        f"{dotted(node)} is assigned to: calls that are rewritten no longer see that",
        "assign to the function of tf_sampled_compat instead, or drop the assignment",
    )  # fmt: skip


def _by_name(code: Code, node: cst.Call) -> Iterator[Note]:
    if function_name(node) not in _BY_NAME or len(node.args) < 2:
        return
    name, owner = node.args[1].value, node.args[0].value
    if not isinstance(name, cst.SimpleString) or name.evaluated_value not in which_namespace.LOSSES:
        return
    paths = [meaning.path or "" for meaning in code.meanings(owner)]
    looks_like_it = not paths and f".{dotted(owner)}".endswith(".nn")
    if looks_like_it or any(path.startswith("tensorflow") for path in paths):
        yield look(
            code, node, "name-in-a-string",
            f"{shown(code, node)} names the function by a string, which is left as it is",
            _BY_HAND,
        )  # fmt: skip


def _string(code: Code, node: cst.SimpleString) -> Iterator[Note]:
    value = node.evaluated_value
    if isinstance(value, str) and _IN_A_STRING.fullmatch(value):
        yield look(
            code, node, "name-in-a-string",
            f"the string {node.value} names the function, and is left as it is", _BY_HAND,
        )  # fmt: skip


def _star(code: Code, node: cst.ImportFrom) -> Iterator[Note]:
    if not isinstance(node.names, cst.ImportStar) or node.module is None or node.relative:
        return
    module = dotted(node.module)
    has = [n for n in which_namespace.MENTIONS if which_namespace.target(f"{module}.{n}", "1.x")]
    used = {n.value for n in code.nodes if isinstance(n, cst.Name)}
    if used.intersection(has) or (module == "tensorflow" and used & which_namespace.LOSSES):
        yield look(
            code, node, "star-import",
            f"from {module} import * brings names that cannot be told from others",
            "import what is used by name, then run again",
        )  # fmt: skip
