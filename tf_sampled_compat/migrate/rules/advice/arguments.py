"""Rules on arguments that do not fit their parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from tf_sampled_compat.migrate.code.calls import function_name, literal
from tf_sampled_compat.migrate.code.names import Code
from tf_sampled_compat.migrate.notes import Note
from tf_sampled_compat.migrate.rules.advice.rule import look, shown
from tf_sampled_compat.migrate.rules.loss_calls import Call
from tf_sampled_compat.migrate.rules.signatures import SIGNATURES

_ONE_HOT = re.compile(r"one_?hot", re.IGNORECASE)
_LIKE_LABELS = re.compile(r"label|target|y_true|class_?id", re.IGNORECASE)
_LIKE_INPUTS = re.compile(
    r"input|hidden|embed|feature|state|output|activation|logit|encod|\bnet\b", re.IGNORECASE
)


def advice(code: Code, call: Call) -> Iterator[Note]:
    """Checks a call's labels, sizes and strategy, and whether it hides arguments."""
    yield from _hidden(code, call)
    yield from _labels(code, call)
    yield from _sizes(code, call)
    yield from _strategy(code, call)


def _hidden(code: Code, call: Call) -> Iterator[Note]:
    if call.hidden:
        yield look(
            code, call.node, "hidden-arguments",
            "*args or **kwargs hide its arguments, so their order and the strategy are not checked",
            "check that they are in the order of "
            f"tsc.{call.target.path}({', '.join(call.target.signature.parameters)})",
        )  # fmt: skip


def _labels(code: Code, call: Call) -> Iterator[Note]:
    labels, inputs = call.arguments.get("labels"), call.arguments.get("inputs")
    if labels is None:
        return
    made_by = function_name(code.value(labels))
    if made_by in ("one_hot", "to_categorical") or _ONE_HOT.search(code.text(labels)):
        yield look(
            code, labels, "one-hot-labels",
            f"the labels are {shown(code, labels)}, which looks one-hot; the loss takes "
            "class ids of shape [batch, num_true]",
            "pass the ids, or tf.argmax(labels, axis=1)[:, None]",
        )  # fmt: skip
    if inputs is not None and _is_inputs(code, labels) and _is_labels(code, inputs):
        older = call.target.namespace == "compat.v0.nn"
        if older:
            other = ", or migrate with --from 1.x (tsc.compat.v1.nn)"
        elif call.target.function in SIGNATURES["compat.v0.nn"]:
            other = ", or migrate with --from 0.x (tsc.compat.v0.nn) if the code is that old"
        else:
            other = ""
        yield look(
            code, call.node, "swapped-labels",
            f"labels = {shown(code, labels)} and inputs = {shown(code, inputs)} look swapped: "
            f"in {'TensorFlow 0.x inputs' if older else 'TensorFlow 1 and 2 labels'} come first",
            "swap them" + other,
        )  # fmt: skip


def _is_inputs(code: Code, node: cst.CSTNode) -> bool:
    if function_name(code.value(node)) == "embedding_lookup":
        return True
    text = code.text(node)
    return bool(_LIKE_INPUTS.search(text)) and not _LIKE_LABELS.search(text)


def _is_labels(code: Code, node: cst.CSTNode) -> bool:
    text = code.text(node)
    return bool(_LIKE_LABELS.search(text)) and not _LIKE_INPUTS.search(text)


def _sizes(code: Code, call: Call) -> Iterator[Note]:
    for fewer, more in (("num_sampled", "num_classes"), ("num_resampled", "num_sampled")):
        low, high = (literal(code, call.arguments.get(name)) for name in (fewer, more))
        if isinstance(low, int) and isinstance(high, int) and low >= high:
            yield look(
                code, call.arguments[fewer], "too-many-sampled",
                f"{fewer} = {low} is not less than {more} = {high}",
                "sample fewer, or use the exact loss: tsc.nn.full_softmax_loss"
                if more == "num_classes" else "resample fewer than are sampled",
            )  # fmt: skip


def _strategy(code: Code, call: Call) -> Iterator[Note]:
    for parameter in ("name", "seed"):
        given = call.arguments.get(parameter)
        if given is not None and literal(code, given) in ("mod", "div"):
            yield look(
                code, given, "strategy-misplaced",
                f"{shown(code, given)} is passed as {parameter}: TensorFlow 2 takes no "
                "partition_strategy by position",
                "migrate with --from 1.x if the code was written for TensorFlow 1, or pass "
                "partition_strategy= by name",
            )  # fmt: skip
    given = call.arguments.get("partition_strategy")
    if given is not None and literal(code, given) not in (None, "mod", "div"):
        yield look(
            code, given, "unknown-strategy",
            f"partition_strategy = {shown(code, given)} is unknown; TensorFlow ignores it "
            "for a single tensor, and this package raises an error",
            'pass "mod" or "div"; for a single tensor they mean the same',
        )  # fmt: skip
