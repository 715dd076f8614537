"""Parses JSON and keeps the span of each value, so that one can be replaced in the text."""

from __future__ import annotations

import json
import re
from typing import NamedTuple, Union

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Node(NamedTuple):
    """A JSON value and its span in the text.

    Attributes:
      start: The offset of its first character.
      end: The offset behind its last one.
      value: An object's members or an array's elements, as Nodes; a string; or the JSON text of any
        other scalar.
    """

    start: int
    end: int
    value: Union[dict[str, Node], list[Node], str]


def parse(text: str) -> Node:
    """Returns the value of a JSON text; it holds the inner values, each with its span.

    >>> parse('{"a": [1, "b"]}').value["a"].value[1]
    Node(start=10, end=13, value='b')

    Raises:
      ValueError: If the text is not JSON.
    """
    json.loads(text)  # Raises, with a better message than the code below, which expects valid JSON.
    return _value(text, _skip(text, 0))


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    assert blank is not None  # It matches the empty string too.
    return blank.end()


def _value(text: str, at: int) -> Node:
    if text[at] == '"':
        return _string(text, at)
    if text[at] == "{":
        return _members(text, at)
    if text[at] == "[":
        return _elements(text, at)
    _, end = _DECODER.raw_decode(text, at)
    return Node(at, end, text[at:end])


def _string(text: str, at: int) -> Node:
    string, end = _DECODER.raw_decode(text, at)
    return Node(at, end, string)


def _members(text: str, start: int) -> Node:
    members: dict[str, Node] = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key = _string(text, at)
        value = _value(text, _skip(text, _skip(text, key.end) + 1))
        members[str(key.value)] = value
        at = _skip(text, value.end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return Node(start, at + 1, members)


def _elements(text: str, start: int) -> Node:
    elements: list[Node] = []
    at = _skip(text, start + 1)
    while text[at] != "]":
        elements.append(_value(text, at))
        at = _skip(text, elements[-1].end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return Node(start, at + 1, elements)
