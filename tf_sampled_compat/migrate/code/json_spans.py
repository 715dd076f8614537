"""Where the values of a JSON text lie in it, so that one can be replaced and no other moves."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring
from typing import NamedTuple, Union

_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^\s,\]}]+")


class Node(NamedTuple):
    """A value: its span in the text, and its members, elements, string, or JSON of a scalar."""

    start: int
    end: int
    value: Union[dict, list, str]


def parse(text: str) -> Node:
    """Returns the value that a JSON text holds, and those in it, with their spans.

    >>> parse('{"a": [1, "b"]}').value["a"].value[1]
    Node(start=10, end=13, value='b')

    Raises:
      ValueError: If it is no JSON.
    """
    json.loads(text)  # Its errors are better than any from here.
    return _value(text, _skip(text, 0))


def _skip(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()


def _value(text: str, at: int) -> Node:
    if text[at] == '"':
        string, end = scanstring(text, at + 1, True)
        return Node(at, end, string)
    if text[at] == "{":
        return _members(text, at)
    if text[at] == "[":
        return _elements(text, at)
    end = _SCALAR.match(text, at).end()
    return Node(at, end, text[at:end])


def _members(text: str, start: int) -> Node:
    members: dict[str, Node] = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key = _value(text, at)
        value = _value(text, _skip(text, _skip(text, key.end) + 1))
        members[key.value] = value
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
