"""Notebooks: code cells are one program, magics and all the rest of the JSON stay."""

import json

import pytest

from tests.migrate.snippets import OLD
from tf_sampled_compat.migrate import files, json_spans, magics
from tf_sampled_compat.migrate.notes import CHANGED


def notebook(*cells, indent=1, as_lines=True, ensure_ascii=False):
    """A notebook of code cells, written as Jupyter does, or in another manner."""
    written = [
        {
            "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
            "source": cell.splitlines(keepends=True) if as_lines else cell,
        }
        for cell in cells
    ]  # fmt: skip
    text = {"cell_type": "markdown", "metadata": {}, "source": ["Ünï: `tf.nn.nce_loss`"]}
    whole = {"cells": [text, *written], "metadata": {"α": 1e-05}, "nbformat": 4}
    return (json.dumps(whole, indent=indent, ensure_ascii=ensure_ascii) + "\n").encode()


def migrate(raw, era="1.x"):
    return files.migrate(raw, era, is_notebook=True)


def sources(raw):
    cells = json.loads(raw)["cells"][1:]
    return ["".join(cell["source"]) for cell in cells]


LOSS = "tf.nn.nce_loss(w, b, y, x, 5, 50)"
OURS = "tsc.compat.v1.nn.nce_loss(w, b, y, x, 5, 50)"
BEFORE = [
    "%matplotlib inline\nimport tensorflow as tf",
    "!pip install tensorflow \\\n  -U\nfiles = !ls\n?tf.nn\ntf.nn?\nif files:\n    !ls\n",
    f"%%time\nx = 'é'\nloss = ({LOSS} % 3\n  % 5)",
    f"%%bash\necho {'x' * 3}",
    "",
]
AFTER = [
    "%matplotlib inline\nimport tensorflow as tf\nimport tf_sampled_compat as tsc",
    BEFORE[1],
    f"%%time\nx = 'é'\nloss = ({OURS} % 3\n  % 5)",
    *BEFORE[3:],
]


@pytest.mark.parametrize("as_lines", [True, False])
@pytest.mark.parametrize("indent", [1, 4, None])
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_cells_are_rewritten_and_nothing_else(as_lines, indent, ensure_ascii):
    style = {"as_lines": as_lines, "indent": indent, "ensure_ascii": ensure_ascii}
    outcome = migrate(notebook(*BEFORE, **style))
    assert outcome.after == notebook(*AFTER, **style)
    places = [line.place for line in outcome.report]
    assert places == ["cell 2:2:1", "cell 4:3:9"] and all(
        line.note.kind == CHANGED for line in outcome.report
    )
    again = migrate(outcome.after)
    assert again.after == outcome.after and not again.report


def test_the_letters_of_untouched_lines_stay():
    """Escapes that nobody has to write, and spaces where nobody puts them."""
    raw = notebook("import tensorflow as tf\na = 1  # /\n", LOSS, indent=None)
    raw = raw.replace(b"# /", b"# \\/ \\u0041").replace(b'"outputs": [', b'"outputs" :[  ')
    outcome = migrate(raw)
    assert b"# \\/ \\u0041" in outcome.after and b'"outputs" :[  ' in outcome.after
    assert sources(outcome.after)[1] == OURS


def test_magics_that_name_a_loss_are_reported():
    outcome = migrate(notebook("import tensorflow as tf\n%time " + LOSS, "%%bash\n# nce_loss"))
    assert outcome.after == outcome.before
    assert [(line.place, line.note.code) for line in outcome.report] == [
        ("cell 2:1:1", "in-a-magic"), ("cell 3:1:1", "in-a-magic"),
    ]  # fmt: skip


def test_a_cell_that_is_not_python_does_not_stop_the_others():
    old = "print 1, tf.nn.nce_loss"
    outcome = migrate(notebook("import tensorflow as tf", old, "y = = 1", LOSS))
    assert sources(outcome.after)[1:] == [old, "y = = 1", OURS]
    assert [(line.place, line.note.code) for line in outcome.report][0] == (
        "cell 3:1:1", "unparsable",
    )  # fmt: skip


@pytest.mark.parametrize("indent", ["", "    "])
def test_the_import_goes_behind_the_last_line_of_its_cell(indent):
    cell = f"if True:\n{indent}import tensorflow as tf" if indent else "import tensorflow as tf"
    ours = f"\n{indent}import tf_sampled_compat as tsc"
    assert sources(migrate(notebook(cell, LOSS)).after) == [cell + ours, OURS]


@pytest.mark.parametrize(
    "raw, word",
    [
        (OLD.encode(), "not the JSON of a notebook"),
        (b'{"worksheets": [], "x": "nce_loss"}', "convert it first"),
        (b"[" * 100_000 + b"nce_loss", "not the JSON of a notebook"),
        (b"\xff nce_loss", "not the JSON"),
    ],
)
def test_what_is_no_notebook_is_named(raw, word):
    outcome = migrate(raw)
    assert outcome.after == raw and word in outcome.report[0].note.reason


def test_by_the_command_and_by_standard_input(migrate, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_bytes(notebook(*BEFORE))
    assert migrate("--check", path).code == 1
    assert migrate("--write", "-", stdin=path.read_bytes()).out == notebook(*AFTER)
    result = migrate("--write", path)
    assert result.code == 0 and b"a.ipynb:cell 4:3:9: changed: tf.nn.nce_loss" in result.out
    assert path.read_bytes() == notebook(*AFTER)
    assert (tmp_path / "a.ipynb.bak").read_bytes() == notebook(*BEFORE)


def test_masks_are_as_long_as_what_they_mask():
    for cell in BEFORE[:3]:
        masked = magics.mask(cell.encode())
        assert len(masked.code) == len(cell.encode()) and magics.parses(masked.code)


def test_spans_of_json():
    text = ' { "a" : [ 1 , "b\\n" , {} , [ ] , null ] , "c":-1e5 } '
    root = json_spans.parse(text)
    inner = root.value["a"].value
    assert [text[node.start : node.end] for node in inner] == ["1", '"b\\n"', "{}", "[ ]", "null"]
    assert inner[1].value == "b\n" and root.value["c"].value == "-1e5"
    assert text[root.start : root.end] == text.strip()
