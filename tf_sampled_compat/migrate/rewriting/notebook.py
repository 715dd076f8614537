"""Migrates a Jupyter notebook: its code cells are one program, the rest of it does not move."""

from __future__ import annotations

import json
from typing import NamedTuple

from tf_sampled_compat.migrate.code import edits, json_spans, lines, magics
from tf_sampled_compat.migrate.code.source import Source
from tf_sampled_compat.migrate.finding.reading import mentions
from tf_sampled_compat.migrate.notes import ERROR, LOOK, Note
from tf_sampled_compat.migrate.rewriting import python

# The program starts with lines that hold no cell, and each cell ends with one: what is added after
# a cell's last line is not at the start of the next.
_HEAD, _BETWEEN = b"#\n#\n", b"#\n"


class NotANotebookError(Exception):
    """The file is no notebook that can be read."""


class Cell(NamedTuple):
    """A code cell.

    Attributes:
      number: Its place among all cells, from 1.
      source: Where its lines lie in the JSON.
      code: Its text.
    """

    number: int
    source: json_spans.Node
    code: bytes


class Placed(NamedTuple):
    """A note and the place it is about, `cell 3:2:5`."""

    note: Note
    place: str


def examine(raw: bytes, era: str) -> tuple[bytes, list[Placed]]:
    """Returns a notebook's bytes after the rewriting, and the notes with their places.

    Raises:
      NotANotebookError: If it is no notebook.
    """
    text, cells = _cells(raw)
    program, starts, notes = bytearray(_HEAD), {}, []
    for cell in cells:
        masked = magics.mask(cell.code)
        if masked.code is None:
            notes += [Placed(n, f"cell {cell.number}:1:1") for n in _left(cell, masked)]
            continue
        if mentions(masked.hidden):
            note = _in_a_magic()
            notes.append(Placed(note, f"cell {cell.number}:1:1"))
        starts[cell.number] = len(program)
        program += masked.code + b"\n" + _BETWEEN
    found = python.examine(Source(bytes(program)), era)
    by_number = {cell.number: cell for cell in cells}
    for note in found.notes:
        number = max((n for n in starts if starts[n] <= note.start), default=1)
        line, column = lines.position(by_number[number].code, note.start - starts.get(number, 0))
        notes.append(Placed(note, f"cell {number}:{line}:{column}"))
    for number in sorted(starts, reverse=True):
        cell, start = by_number[number], starts[number]
        end = start + len(cell.code) + 1
        inside = [
            edits.Edit(e.start - start, e.end - start, e.text)
            for e in found.edits
            if start <= e.start and e.end <= end
        ]
        if inside:
            code = edits.apply(cell.code + b"\n", inside)[:-1].decode()
            text = text[: cell.source.start] + _put(text, cell, code) + text[cell.source.end :]
    return text.encode(), notes


def _cells(raw: bytes) -> tuple[str, list[Cell]]:
    try:
        text = raw.decode()
        root = json_spans.parse(text).value
    except (ValueError, RecursionError) as error:
        raise NotANotebookError(f"not the JSON of a notebook: {error}") from None
    cells = root.get("cells") if isinstance(root, dict) else None
    if cells is None or not isinstance(cells.value, list):
        raise NotANotebookError(
            "it has no cells; of nbformat 3 or older, convert it first: jupyter nbconvert --to "
            "notebook --nbformat 4"
        )
    found = []
    for number, cell in enumerate(cells.value, 1):
        members = cell.value if isinstance(cell.value, dict) else {}
        source = members.get("source")
        if source is None or "cell_type" not in members or members["cell_type"].value != "code":
            continue
        value = source.value
        code = value if isinstance(value, str) else "".join(line.value for line in value)
        found.append(Cell(number, source, code.encode()))
    return text, found


def _left(cell: Cell, masked: magics.Masked) -> list[Note]:
    """The notes on a cell that is not Python, if it concerns us."""
    if not mentions(cell.code):
        return []
    if masked.hidden == cell.code:
        return [_in_a_magic()]
    way_out = "mend it or make it Python 3, then run again"
    return [Note(ERROR, "unparsable", 0, 0, "the cell is not Python 3: left as it is", way_out)]


def _in_a_magic() -> Note:
    return Note(
        LOOK, "in-a-magic", 0, 0, "a magic or shell line names a loss, and is left as it is",
        "rewrite it by hand, or put the code on a line of its own",
    )  # fmt: skip


def _put(text: str, cell: Cell, code: str) -> str:
    """The JSON of the new source: lines that did not change keep theirs to the letter."""
    plain = text.isascii()
    source = cell.source
    if isinstance(source.value, str):
        return json.dumps(code, ensure_ascii=plain)
    old = source.value
    kept = {line.value: text[line.start : line.end] for line in old}
    first, last = text[source.start : old[0].start], text[old[-1].end : source.end]
    between = text[old[0].end : old[1].start] if len(old) > 1 else "," + first[1:]
    new = [line + "\n" for line in code.split("\n")]
    new[-1] = new[-1][:-1]
    new = [line for line in new if line]
    lines_of_json = [kept.get(line) or json.dumps(line, ensure_ascii=plain) for line in new]
    return first + between.join(lines_of_json) + last
