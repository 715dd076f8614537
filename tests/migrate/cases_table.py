"""The cases of `cases/*.txt`: code before, code after, and what is reported."""

import pathlib
from typing import NamedTuple

FOLDER = pathlib.Path(__file__).parent / "cases"


class Case(NamedTuple):
    name: str
    era: str
    before: str
    after: str
    reports: list


def cases(*files):
    """The cases of some files, or of all."""
    paths = [FOLDER / f"{name}.txt" for name in files] or sorted(FOLDER.glob("*.txt"))
    return [case(block) for path in paths for block in path.read_text().split("=== ")[1:]]


def case(block):
    head, _, body = block.partition("\n")
    name, _, era = head.rpartition(" | ")
    body, _, reports = body.partition("--- reports\n")
    before, _, after = body.partition("--- becomes\n")
    return Case(name, era, before, after or before, reports.splitlines())
