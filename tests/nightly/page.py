"""The page that `make nightly` writes: a table of the steps, then the end of each one's log."""

import os
import re
from typing import NamedTuple

HEAD = """\
# The last `make nightly`

Written by `python -m tests.nightly`. Each step has the commit and the day of its own last run.

| step | command | outcome | minutes | date | commit | Python |
|---|---|---|---|---|---|---|
"""
ROW = re.compile(r"^\| (\S+) \| `(.*)` \| (.*) \| (\d+) \| (\S+) \| (\S+) \| (\S+) \|$", re.M)
LOG = re.compile(r"^## (\S+)\n\n```\n(.*?)\n```$", re.M | re.S)


class Outcome(NamedTuple):
    """A step's row, and the end of its log."""

    step: str
    command: str
    verdict: str
    minutes: str
    date: str
    commit: str
    python: str
    end: str


def read(text):
    """Returns the outcomes on a page by the names of their steps."""
    table, _, _ = text.partition("\n## ")
    ends = dict(LOG.findall(text))
    return {row[0]: Outcome(*row, ends.get(row[0], "")) for row in ROW.findall(table)}


def written(outcomes):
    """Returns the page."""
    rows = "".join(
        f"| {each.step} | `{each.command}` | {each.verdict} | {each.minutes} | {each.date} "
        f"| {each.commit} | {each.python} |\n"
        for each in outcomes
    )
    return HEAD + rows + "".join(f"\n## {e.step}\n\n```\n{e.end}\n```\n" for e in outcomes)


def update(path, names, outcome):
    """Puts a step's outcome into the page, in the order of `names`, and leaves the others."""
    outcomes = read(path.read_text()) if path.exists() else {}
    outcomes[outcome.step] = outcome
    known = [outcomes[name] for name in names if name in outcomes]
    new = path.with_suffix(".new")
    new.write_text(written(known))
    os.replace(new, path)
