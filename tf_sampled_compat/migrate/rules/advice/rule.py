"""Makes a note that a person must look at a node."""

from __future__ import annotations

import libcst as cst

from tf_sampled_compat.migrate.code.names import Code
from tf_sampled_compat.migrate.notes import LOOK, Note

_LONGEST = 60  # characters


def look(code: Code, node: cst.CSTNode, name: str, reason: str, way_out: str) -> Note:
    """Returns a note on a node: the rule's name, the reason and the way out."""
    return Note(LOOK, name, *code.span(node), reason, way_out)


def shown(code: Code, node: cst.CSTNode) -> str:
    """Returns the code of a node, shortened for a line of the report."""
    text = code.text(node)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
