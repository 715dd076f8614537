"""Rules on uses that are not rewritten: strings, `import *`, assignments, private functions."""

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
_ANY_LOSS = "|".join(sorted(which_namespace.LOSSES))
_IN_A_STRING = re.compile(rf"(?:tf|tensorflow)(?:\.\w+)*\.nn\.(?:\w+\.)*(?:{_ANY_LOSS})")
_PRIVATE = "_compute_sampled_logits"
_BY_HAND = "write the path of tf_sampled_compat there by hand, or call tf_sampled_compat.install()"


def advice(code: Code) -> Iterator[Note]:
    """Checks everything except references and calls."""
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
        f"{shown(code, node)} is a private function of TensorFlow, and is left as it is: a "
        "release of TensorFlow may change or remove it",
        "if the code computes a loss from it, call sampled_softmax_loss or nce_loss of "
        "tf_sampled_compat.compat.v1.nn instead; else keep it",
    )  # fmt: skip


def is_assigned(code: Code, node: cst.CSTNode) -> bool:
    """Returns whether an expression is assigned to or deleted, as in `tf.nn.nce_loss = mine`."""
    return isinstance(code.parent(node), (cst.AssignTarget, cst.Del, cst.AugAssign))


def assigned(code: Code, node: cst.Attribute) -> Note:
    """Returns the note on an assignment to one of TensorFlow's losses."""
    return look(
        code, node, "assigned",
        f"{dotted(node)} is assigned to; rewritten calls do not see the new value",
        "assign to the function of tf_sampled_compat instead, or remove the assignment",
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
            f"{shown(code, node)} names the function in a string, which is left as it is",
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
            f"from {module} import * hides which names are TensorFlow's",
            "import the names that are used, then run again",
        )  # fmt: skip
