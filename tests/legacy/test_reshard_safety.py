"""Re-sharding loses no checkpoint: not by a kill at any moment, not by a wrong call."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core import locks

Layout, reshard_checkpoint = tsc.compat.v1.Layout, tsc.compat.v1.reshard_checkpoint
ROWS = 7


def save(prefix, scale=1.0, names="ab"):
    """Writes a checkpoint of tables and a scalar, and returns its prefix."""
    values = {name: scale * np.arange(2.0 * ROWS).reshape([ROWS, 2]) for name in names}
    values["step"] = np.float64(scale)
    os.makedirs(os.path.dirname(prefix), exist_ok=True)
    tf.raw_ops.SaveV2(
        prefix=tf.constant(str(prefix)),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=[tf.constant(value) for value in values.values()],
    )
    return str(prefix)


def tensors(prefix):
    reader = tf.train.load_checkpoint(str(prefix))
    return {name: reader.get_tensor(name).tolist() for name in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_checkpoint(shards, tmp_path, monkeypatch):
    """A copy of the folder is made before each step: it is what a kill would leave."""
    place = tmp_path / "place"
    source, target = save(place / "old"), save(place / "new", 2.0)
    was, replaced, snapshots = tensors(source), tensors(target), []

    def watch(module, name):
        real = getattr(module, name)

        def step(*arguments, **options):
            snapshots.append(tmp_path / f"before-{len(snapshots)}")
            shutil.copytree(place, snapshots[-1])
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, step)

    for name in ("rename", "replace", "unlink", "fsync"):
        watch(os, name)
    pairs = [(Layout("a"), Layout("a", "mod", shards))]
    for _ in range(2):  # The second time the names of the first one are taken.
        reshard_checkpoint(source, target, pairs)
    monkeypatch.undo()
    result = tensors(target)
    assert np.ravel(result["a"]).sum() == np.ravel(was["a"]).sum() and result["step"] == 1.0
    assert len(snapshots) > 10
    seen = []
    for folder in snapshots:
        assert tensors(folder / "old") == was
        seen.append(tensors(folder / "new"))
        assert seen[-1] in (replaced, result), folder.name
    assert replaced in seen and result in seen
    # What a kill left is gone after the next call.
    for folder in snapshots[:: len(snapshots) // 3]:
        reshard_checkpoint(str(folder / "old"), str(folder / "new"), pairs)
        assert tensors(folder / "new") == result
        assert not list(folder.glob(".reshard*"))
        counts = {path.name.split("-of-")[1] for path in folder.glob("new.data*")}
        assert len(counts) == 1 and len(list(folder.glob("new.data*"))) == int(counts.pop())


KILLED = """
import os, signal, sys
import tf_sampled_compat as tsc
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
L = tsc.compat.v1.Layout
tsc.compat.v1.reshard_checkpoint(sys.argv[1], sys.argv[2], [(L("a"), L("a", "mod", 3))])
"""


def test_a_killed_process_leaves_nothing_that_stays(tmp_path):
    source, target = save(tmp_path / "x" / "old"), save(tmp_path / "x" / "new", 2.0)
    before = tensors(target)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, source, target], timeout=300, stderr=subprocess.DEVNULL
    )
    assert killed.returncode == -signal.SIGKILL
    left = list((tmp_path / "x").glob(".reshard*"))
    assert left and tensors(target) == before and tensors(source)["step"] == 1.0
    with locks.locked(str(left[0])):  # As if that process were still at work.
        reshard_checkpoint(source, str(tmp_path / "x" / "other"), [])
        assert left[0].exists()
    reshard_checkpoint(source, target, [(Layout("a"), Layout("a", "mod", 3))])
    assert not list((tmp_path / "x").glob(".reshard*")) and tensors(target)["step"] == 1.0
    reader = tf.train.load_checkpoint(target)
    assert sorted(reader.get_variable_to_shape_map()) == ["a", "b", "step"]


def same_places(source):
    """Yields prefixes that are the source, spelled otherwise."""
    folder, name = os.path.split(source)
    yield source
    yield os.path.join(folder, ".", name)
    yield os.path.join(folder, "..", os.path.basename(folder), name)
    yield os.path.relpath(source)
    yield pathlib.Path(source)
    os.symlink(folder, f"{folder}-link")
    yield os.path.join(f"{folder}-link", name)
    os.symlink(f"{source}.index", os.path.join(folder, "other.index"))
    yield os.path.join(folder, "other")
    os.link(f"{source}.data-00000-of-00001", os.path.join(folder, "hard.data-00000-of-00001"))
    yield os.path.join(folder, "hard")


def test_a_checkpoint_is_not_resharded_onto_itself(tmp_path):
    source = save(tmp_path / "x" / "old")
    was = tensors(source)
    for target in same_places(source):
        for given in (source, os.path.relpath(source)):
            with pytest.raises(ValueError, match="target: expected another checkpoint than source"):
                reshard_checkpoint(given, target, [(Layout("a"), Layout("a", shards=2))])
    assert tensors(source) == was


def test_the_latest_checkpoint_of_a_folder_is_not_resharded_onto_itself(tmp_path):
    source = save(tmp_path / "x" / "old")
    (tmp_path / "x" / "checkpoint").write_text('model_checkpoint_path: "old"\n')
    with pytest.raises(ValueError, match="another checkpoint than source"):
        reshard_checkpoint(tmp_path / "x", source, [])
    target = reshard_checkpoint(tmp_path / "x", tmp_path / "new", [(Layout("a"), Layout("a"))])
    assert tensors(target) == tensors(source)


@pytest.mark.parametrize("target", ["", "new/", "x/y/", "a\0b"])
def test_a_target_without_a_name(target, tmp_path, monkeypatch):
    source = save(tmp_path / "x" / "old")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="target: expected a prefix with a file name"):
        reshard_checkpoint(source, target, [])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ((Layout(""), Layout("a")), "tables: expected names that are not empty"),
        ((Layout("a"), Layout("")), "tables: expected names that are not empty"),
        ((Layout("a"), Layout(["x", ""])), "tables: expected names that are not empty"),
        ((Layout("a"), Layout(5)), "tables: expected names as text"),
        ((Layout("a"), Layout(["x", None])), "tables: expected names as text"),
        ((Layout("a"), Layout("a", shards=10**6)), "shards: expected at most 7, .* got 1000000"),
        (
            (Layout("a"), Layout("a", shards=10**30)),
            "shards: expected an integer of at most 64 bits",
        ),
        ((Layout("a", shards=8), Layout("a")), "shards: expected at most 7, .* rows of 'a', got 8"),
        ((Layout("a"), Layout("a", shards="x")), "shards: expected an integer"),
    ],
)
def test_a_layout_that_is_none(pair, words, tmp_path):
    source = save(tmp_path / "x" / "old")
    with pytest.raises(ValueError, match=words):
        reshard_checkpoint(source, tmp_path / "new", [pair])
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_list_of_variables_may_be_longer_than_the_table(tmp_path):
    source, names = save(tmp_path / "x" / "old"), [f"n{p}" for p in range(ROWS + 2)]
    target = reshard_checkpoint(source, tmp_path / "new", [(Layout("a"), Layout(names, "mod"))])
    back = reshard_checkpoint(target, tmp_path / "back", [(Layout(names, "mod"), Layout("a"))])
    assert tensors(back) == tensors(source)


def test_many_pieces_in_memory_are_cut_one_by_one():
    """The place of a piece is computed, not summed: 10⁵ pieces took 10¹⁰ steps."""
    pieces = tsc.compat.v1.reshard(
        np.arange(100), from_strategy="div", to_strategy="div", shards=10**5
    )
    assert [len(piece) for piece in pieces[98:102]] == [1, 1, 0, 0] and len(pieces) == 10**5
