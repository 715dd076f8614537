"""Migrates a Jupyter notebook: its code cells are one program; the rest of the JSON stays."""

from __future__ import annotations

import json
from typing import NamedTuple

from tf_sampled_compat.migrate.code import edits, json_spans, lines, magics
from tf_sampled_compat.migrate.code.source import Source
from tf_sampled_compat.migrate.finding.reading import mentions
from tf_sampled_compat.migrate.notes import ERROR, LOOK, Note
from tf_sampled_compat.migrate.rewriting import python

# A comment line follows each cell of the program. So a line that is added behind a cell's last line
# lies before that comment, in the cell, and not at the start of the next one.
_HEAD, _BETWEEN = b"#\n#\n", b"#\n"


class NotANotebookError(Exception):
    """The file is not a notebook, or not one that can be read."""


class Cell(NamedTuple):
    """A code cell.

    Attributes:
      number: Its place among all cells, from 1.
      source: Its text in the JSON: a string, or an array of lines.
      code: Its text.
    """

    number: int
    source: json_spans.Node
    code: bytes


class Placed(NamedTuple):
    """A note and its place, such as `cell 3:2:5`: the cell, the line and the column."""

    note: Note
    place: str


def examine(raw: bytes, era: str) -> tuple[bytes, list[Placed]]:
    """Returns a notebook's bytes after the rewriting, and the notes with their places.

    Args:
      raw: The notebook's bytes.
      era: "0.x", "1.x" or "2.x": the TensorFlow that the code was written for.

    Raises:
      NotANotebookError: If the bytes are not a notebook of nbformat 4.
    """
    text, cells = _cells(raw)
    program, starts = bytearray(_HEAD), dict[int, int]()
    notes: list[Placed] = []
    for cell in cells:
        masked = magics.mask(cell.code)
        if masked.code is None:
            notes += [Placed(n, f"cell {cell.number}:1:1") for n in _left(cell, masked)]
            continue
        if mentions(masked.hidden):
            notes.append(Placed(_in_a_magic(), f"cell {cell.number}:1:1"))
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
            "it has no cells; if it is of nbformat 3 or older, convert it first: jupyter nbconvert "
            "--to notebook --nbformat 4"
        )
    found = []
    for number, cell in enumerate(cells.value, 1):
        members = cell.value if isinstance(cell.value, dict) else {}
        source, kind = members.get("source"), members.get("cell_type")
        if source is not None and kind is not None and kind.value == "code":
            code = "".join(str(line.value) for line in _lines(source))
            try:
                found.append(Cell(number, source, code.encode()))
            except UnicodeEncodeError as error:  # JSON can spell half a character.
                raise NotANotebookError(f"cell {number} is no text: {error}") from None
    return text, found


def _lines(source: json_spans.Node) -> list[json_spans.Node]:
    """Returns the strings of a cell's source: an array of lines, or one string."""
    if isinstance(source.value, list):
        return source.value
    return [source] if isinstance(source.value, str) else []


def _left(cell: Cell, masked: magics.Masked) -> list[Note]:
    """Returns the notes on a cell that is not Python, if it mentions a loss."""
    if not mentions(cell.code):
        return []
    if masked.hidden == cell.code:
        return [_in_a_magic()]
    way_out = "fix it or convert it to Python 3, then run again"
    return [Note(ERROR, "unparsable", 0, 0, "the cell is not Python 3; left as it is", way_out)]


def _in_a_magic() -> Note:
    return Note(
        LOOK, "in-a-magic", 0, 0, "a magic or a shell line names a loss, and is left as it is",
        "rewrite it by hand, or put the code on a line of its own, then run again",
    )  # fmt: skip


def _put(text: str, cell: Cell, code: str) -> str:
    """Returns the JSON of a cell's new source, in which unchanged lines keep their spelling."""
    plain = text.isascii()
    source = cell.source
    if not isinstance(source.value, list):
        return json.dumps(code, ensure_ascii=plain)
    old = source.value
    kept = {str(line.value): text[line.start : line.end] for line in old}
    first, last = text[source.start : old[0].start], text[old[-1].end : source.end]
    between = text[old[0].end : old[1].start] if len(old) > 1 else "," + first[1:]
    new = [line + "\n" for line in code.split("\n")]
    new[-1] = new[-1][:-1]
    new = [line for line in new if line]
    lines_of_json = [kept.get(line) or json.dumps(line, ensure_ascii=plain) for line in new]
    return first + between.join(lines_of_json) + last
