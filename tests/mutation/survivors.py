"""The survivors that are explained: tests/mutation/survivors.txt.

A block each, with an empty line between two: the file and the function, the line before and after
the change, and why no test can or need notice it.

    tf_sampled_compat/core/losses/draw.py: draw
    - if first < second:
    + if first <= second:
    Both branches do the same where they are equal.
"""

import pathlib

FILE = pathlib.Path(__file__).with_name("survivors.txt")


class Malformed(Exception):
    """A block is not as it should be."""


def explained(text=None):
    """Returns the explanations by the names of the mutants.

    Raises:
      Malformed: If a block has no explanation, or another form.
    """
    found = {}
    text = FILE.read_text() if text is None else text
    for block in text.strip().split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        well_formed = len(lines) >= 4 and lines[1].startswith("- ") and lines[2].startswith("+ ")
        if not well_formed or not lines[3].strip():
            raise Malformed(f"expected a place, a line before, a line after and why, got:\n{block}")
        name = "\n".join(lines[:3])
        if name in found:
            raise Malformed(f"explained twice:\n{name}")
        found[name] = " ".join(lines[3:])
    return found
