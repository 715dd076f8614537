"""Migrates one Python source: parses it, finds the references, rewrites them, adds advice."""

from __future__ import annotations

import re
from typing import NamedTuple

import libcst as cst

from tf_sampled_compat.migrate.code.edits import Edit, apply
from tf_sampled_compat.migrate.code.names import Code
from tf_sampled_compat.migrate.code.parsing import parse
from tf_sampled_compat.migrate.code.source import Source
from tf_sampled_compat.migrate.notes import ERROR, Note, accepted
from tf_sampled_compat.migrate.rewriting import rewrite
from tf_sampled_compat.migrate.rules import loss_calls, references, which_namespace
from tf_sampled_compat.migrate.rules.advice import arguments, elsewhere, strategies, tables
from tf_sampled_compat.migrate.rules.advice.rule import look

_PYTHON_2 = re.compile(
    rb"^\s*(?:print[ \t]+[^\s=(.\[]|exec[ \t]+['\"]"
    rb"|except[ \t]+[\w.]+[ \t]*,|raise[ \t]+\w+[ \t]*,)",
    re.MULTILINE,
)
_OLD = "convert it to Python 3 first (2to3, futurize or by hand), then run again"
_BROKEN = "fix it, then run again"


class Found(NamedTuple):
    """The edits of a source, and the notes on it."""

    edits: list[Edit]
    notes: list[Note]


def examine(source: Source, era: str) -> Found:
    """Returns the edits of a source and its notes, in the order of the code.

    Args:
      source: The source.
      era: "0.x", "1.x" or "2.x": the TensorFlow that it was written for.

    Raises:
      TooDeepError: If it is nested too deeply to parse.
      RecursionError: If it is nested too deeply to analyse.
    """
    try:
        module = parse(source.parsed)
    except cst.ParserSyntaxError as error:
        return Found([], [unparsable(source.code, error)])
    if module.code != source.parsed:
        note = Note(
            ERROR, "not-reproduced", 0, 0, "LibCST does not reproduce its code",
            "make its lines end in LF or CRLF, then run again",
        )  # fmt: skip
        return Found([], [note])
    code = Code(module, source.offset)
    found, notes = _references(code, era)
    edits, changes = rewrite.rewrite(code, source.code, found, era)
    if edits:
        # If the edits are wrong, this raises, and the file is left as it is.
        parse(apply(source.code, edits).decode().replace("\f", ""))
    notes += [note for note in _advice(code, era) if not accepted(source.code, note)]
    return Found(edits, sorted(changes + notes, key=lambda note: (note.start, note.kind)))


def unparsable(code: bytes, error: cst.ParserSyntaxError) -> Note:
    """Returns the note on a source that LibCST cannot parse."""
    old = bool(_PYTHON_2.search(code))
    at = sum(len(line) + 1 for line in code.split(b"\n")[: error.raw_line - 1])
    what = "not Python 3" + (", and looks like Python 2" if old else "")
    return Note(ERROR, "unparsable", at, at, f"{what}; left as it is", _OLD if old else _BROKEN)


def _references(code: Code, era: str) -> tuple[list[references.Reference], list[Note]]:
    found, notes = [], []
    for node in code.nodes:
        if not isinstance(node, cst.Attribute) or node.attr.value not in which_namespace.MENTIONS:
            continue
        reference = references.attribute(code, node, era)
        if isinstance(reference, references.Doubt):
            notes.append(look(code, node, "unclear", reference.reason, reference.way_out))
        elif reference is not None and elsewhere.is_assigned(code, node):
            notes.append(elsewhere.assigned(code, node))
        elif reference is not None:
            found.append(reference)
    return found, notes


def _advice(code: Code, era: str) -> list[Note]:
    found = loss_calls.loss_calls(code, era)
    notes = list(elsewhere.advice(code, era))
    for call in found:
        notes += [*tables.advice(code, call), *arguments.advice(code, call)]
    return notes + list(strategies.advice(code, found, era))
