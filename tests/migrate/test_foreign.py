"""Over the sources of TensorFlow itself: a large tree that is full of the losses, and not ours."""

import pathlib
import re

import pytest
import tensorflow as tf

from tf_sampled_compat.migrate import discovery, python, reading
from tf_sampled_compat.migrate.source import Source

TENSORFLOW = pathlib.Path(tf.__file__).parent
SUMMARY = re.compile(
    r"([\d,]+) files: 0 to change, 0 places to look at, 0 errors; ([\d,]+) name no loss and were "
    r"passed over in [\d.]+ s \([\d,]+ files/s\), (\d+) parsed in [\d.]+ s"
)


def test_all_of_it_stays(migrate, monkeypatch):
    """It ends, would change nothing, and parses what names a loss and nothing else."""
    parse, parsed = python.parse, []

    def noting(text):
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr(python, "parse", noting)
    result = migrate(TENSORFLOW)  # The diff: it writes nothing.
    print(result.err)
    counted = SUMMARY.fullmatch(result.err.strip()).groups()
    looked_at, passed_over, concern_us = (int(number.replace(",", "")) for number in counted)
    assert result.code == 0 and result.out == b""
    paths = [pathlib.Path(entry.path) for entry in discovery.files([str(TENSORFLOW)])]
    assert looked_at == len(paths) == passed_over + concern_us > 1000
    assert concern_us == sum(reading.mentions(path.read_bytes()) for path in paths) >= 5
    assert parsed and all(reading.mentions(text.encode()) for text in parsed)


def changes(name):
    """What would be changed outside of TensorFlow, where it is left alone for being TensorFlow."""
    path = TENSORFLOW / name
    assert discovery.defines_the_losses(str(path))
    found = python.examine(Source(path.read_bytes()), "1.x")
    return [note.reason for note in found.notes if note.kind == "changed"]


@pytest.mark.parametrize("name", ["python/ops/nn_impl.py", "tools/compatibility/tf_upgrade_v2.py"])
def test_definitions_are_no_calls(name):
    assert changes(name) == []


def test_whoever_imports_the_losses_would_change():
    """TensorFlow's lists of its public names import them, as an old program may."""
    assert changes("_api/v2/nn/__init__.py") == [
        "from tensorflow.python.ops.nn_impl import nce_loss_v2 -> from tf_sampled_compat.nn",
        "from tensorflow.python.ops.nn_impl import sampled_softmax_loss_v2 -> "
        "from tf_sampled_compat.nn",
    ]
