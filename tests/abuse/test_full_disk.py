"""A full disk while files are written: what was there is whole, and nothing is left beside it."""

import contextlib
import os
import pathlib
import resource
import subprocess

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.migrate.snippets import NEW, OLD
from tf_sampled_compat import __main__ as commands

Layout = tsc.compat.v1.Layout
SIZE = 512 * 1024


@contextlib.contextmanager
def limited(most):
    """Lets no file of this process grow beyond so many bytes. (Python ignores the signal.)"""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def filled(folder, left):
    """Fills a file system up to so many bytes."""
    free = os.statvfs(folder)
    spare = free.f_bavail * free.f_bsize - left
    assert spare > 0, "the disk is smaller than what is left"
    (folder / "filler").write_bytes(b"x" * spare)
    try:
        yield
    finally:
        os.unlink(folder / "filler")


@pytest.fixture
def disk(tmp_path):
    """A file system of 512 kB, which root alone can mount."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(params=["a full disk", "a limit of file sizes"])
def scarce(request, tmp_path):
    """Returns a folder, and a context in which so many bytes can be written there."""
    if request.param == "a full disk":
        folder = request.getfixturevalue("disk")
        return folder, lambda left: filled(folder, left)
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder, limited


def save(prefix, scale):
    table = scale * np.arange(30_000, dtype=np.float32).reshape([-1, 30])
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(table)]
    )
    return str(prefix)


def table(prefix):
    return tf.train.load_checkpoint(str(prefix)).get_tensor("a")


def reshard(source, target):
    """Divides the table into three pieces by "mod", and says whether they stand there."""
    tsc.compat.v1.reshard_checkpoint(source, target, [(Layout("a"), Layout("a", "mod", 3))])
    rows = table(source)
    return np.array_equal(table(target), np.concatenate([rows[i::3] for i in range(3)]))


@pytest.mark.parametrize("left", [0, 20_000, 39_000])
def test_resharding(left, scarce, tmp_path):
    """At once, in the middle of a data file, and near its end."""
    folder, room_for = scarce
    source, target = save(tmp_path / "source", 1.0), save(folder / "target", 2.0)
    before, names = table(target), sorted(os.listdir(folder))
    with room_for(left):
        with pytest.raises((OSError, tf.errors.OpError)):
            reshard(source, target)
    assert sorted(os.listdir(folder)) == names
    assert np.array_equal(table(target), before) and len(table(source)) == 1000
    assert reshard(source, target)


def test_resharding_where_there_is_just_enough_room(scarce, tmp_path):
    folder, room_for = scarce
    source, target = save(tmp_path / "source", 1.0), save(folder / "target", 2.0)
    with room_for(140_000):
        assert reshard(source, target)


@pytest.mark.parametrize("left", [0, 4096])
def test_migrate(left, scarce, capsys):
    folder, room_for = scarce
    source = OLD + "# " + "long " * 4000 + "\n"
    path = folder / "a.py"
    path.write_text(source)
    names = sorted(os.listdir(folder))
    with room_for(left):
        assert commands.main(["migrate", "--write", str(path)]) == 1
    assert "left as it is" in capsys.readouterr().out
    assert path.read_text() == source and sorted(os.listdir(folder)) == names
    assert commands.main(["migrate", "--write", str(path)]) == 0
    assert path.read_text().startswith(NEW) and pathlib.Path(f"{path}.bak").read_text() == source
