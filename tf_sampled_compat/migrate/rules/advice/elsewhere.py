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
_ANY = "|".join(sorted(which_namespace.IN_NN))
_IN_A_STRING = re.compile(rf"(?:tf|tensorflow)(?:\.\w+)*\.nn(?:_impl)?\.(?:\w+\.)*(?:{_ANY})")
_TWIN = "tf_sampled_compat.compat.v1.nn.compute_sampled_logits"


def advice(code: Code, era: str) -> Iterator[Note]:
    """Checks everything except references and calls."""
    for node in code.nodes:
        if isinstance(node, cst.Call):
            yield from _by_name(code, node)
        elif isinstance(node, cst.SimpleString):
            yield from _string(code, node)
        elif isinstance(node, cst.ImportFrom):
            yield from _star(code, node)
            yield from _private_import(code, node, era)
        elif isinstance(node, cst.Attribute) and node.attr.value == which_namespace.PRIVATE:
            yield from _private_use(code, node, era)


def _private_import(code: Code, node: cst.ImportFrom, era: str) -> Iterator[Note]:
    if isinstance(node.names, cst.ImportStar) or node.module is None or node.relative:
        return
    for alias in node.names:
        if alias.evaluated_name == which_namespace.PRIVATE:
            path = f"{dotted(node.module)}.{which_namespace.PRIVATE}"
            yield from _private(code, alias, [path], era)


def _private_use(code: Code, node: cst.Attribute, era: str) -> Iterator[Note]:
    yield from _private(code, node, [meaning.path or "" for meaning in code.meanings(node)], era)


def _private(code: Code, node: cst.CSTNode, paths: list[str], era: str) -> Iterator[Note]:
    """Reports TensorFlow's private function where it takes inputs before labels."""
    if not any(which_namespace.is_private(path) for path in paths):
        return
    if any(which_namespace.target(path, era) for path in paths):
        return  # It is rewritten, or reported as unclear.
    way_out = f"call {_TWIN}, and pass labels before inputs"
    if any(which_namespace.target(path, "1.x") for path in paths):
        way_out += "; if the code does so already, it is of TensorFlow 1: migrate with --from 1.x"
    yield look(
        code, node, "private-function",
        f"{shown(code, node)} is a private function of TensorFlow, and is left as it is: in "
        "TensorFlow 0.x it takes inputs before labels, and its twin takes labels first",
        way_out,
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
    if not isinstance(name, cst.SimpleString) or name.evaluated_value not in which_namespace.IN_NN:
        return
    paths = [meaning.path or "" for meaning in code.meanings(owner)]
    looks_like_it = not paths and f".{dotted(owner)}".endswith(".nn")
    of_tensorflow = [path for path in paths if path.startswith("tensorflow")]
    if looks_like_it or of_tensorflow:
        yield look(
            code, node, "name-in-a-string",
            f"{shown(code, node)} names the function in a string, which is left as it is",
            _by_hand(f"{(of_tensorflow or [''])[0]}.{name.evaluated_value}"),
        )  # fmt: skip


def _string(code: Code, node: cst.SimpleString) -> Iterator[Note]:
    value = node.evaluated_value
    if isinstance(value, str) and _IN_A_STRING.fullmatch(value):
        yield look(
            code, node, "name-in-a-string",
            f"the string {node.value} names the function, and is left as it is",
            _by_hand(value),
        )  # fmt: skip


def _by_hand(path: str) -> str:
    """Returns the way out for a function of TensorFlow that a string names."""
    if which_namespace.PRIVATE in path:
        return f"write {_TWIN} there by hand; it takes labels before inputs"
    by_hand = "write the path of tf_sampled_compat there by hand"
    if ".python." in path:  # install() leaves TensorFlow's own modules alone.
        return by_hand
    return f"{by_hand}, or call tf_sampled_compat.install()"


def _star(code: Code, node: cst.ImportFrom) -> Iterator[Note]:
    if not isinstance(node.names, cst.ImportStar) or node.module is None or node.relative:
        return
    module = dotted(node.module)
    names = which_namespace.MENTIONS - {which_namespace.PRIVATE}  # A star brings no `_name`.
    has = [name for name in names if which_namespace.target(f"{module}.{name}", "1.x")]
    used = {n.value for n in code.nodes if isinstance(n, cst.Name)}
    if used.intersection(has) or (module == "tensorflow" and used & which_namespace.LOSSES):
        yield look(
            code, node, "star-import",
            f"from {module} import * hides which names are TensorFlow's",
            "import the names that are used, then run again",
        )  # fmt: skip
