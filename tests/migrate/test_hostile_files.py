"""Files that were made to do harm, and kills in the middle of writing."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.migrate.snippets import NEW, OLD
from tf_sampled_compat.core import locks
from tf_sampled_compat.migrate.output import writing

EVIL = [
    "\x1b]0;title\x07\x1b[2J.py",
    "a\nb.py: changed: nothing.py",
    "\x9b2J\u202e.py",
    "\x7f\r.py",
]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("mode", ["--diff", "--write", "--check"])
def test_no_control_character_of_a_name_is_printed(name, mode, tmp_path, migrate):
    (tmp_path / name).write_text(OLD)
    (tmp_path / f"bad{name}").write_bytes(OLD.encode() + b"x = = 1\n")
    result = migrate(mode, tmp_path)
    printed = (result.out.decode() + result.err).replace("\n    way out", "")
    assert result.code == 1
    assert all(c.isprintable() or c == "\n" for c in printed if mode != "--diff"), printed
    assert all(c.isprintable() or c == "\n" for c in result.err)
    assert not any(c in result.out for c in (b"\x1b", b"\x07", b"\x7f", b"\r"))
    assert not any(line.startswith("b.py") for line in printed.split("\n"))
    escaped = name.encode("unicode_escape").decode()
    assert escaped in (result.err if mode == "--diff" else result.out.decode())


def test_a_path_that_does_not_exist_is_printed_safely(migrate):
    result = migrate("\x1b[2J.py")
    assert result.code == 2 and "\\x1b[2J.py does not exist" in result.err


@pytest.mark.parametrize("name", ['\x1b[2J "a\\b.py', "tab\there\n.py", "plain é.py"])
@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1"]])
def test_the_diff_of_such_a_file_applies(name, tool, tmp_path, migrate, monkeypatch):
    if not shutil.which(tool[0]):
        pytest.skip(f"no {tool[0]}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(OLD)
    result = migrate(".")
    subprocess.run(tool, input=result.out, check=True, capture_output=True)
    assert (tmp_path / name).read_text() == NEW


@pytest.mark.parametrize("encoding", ["utf-7", "unicode_escape", "raw_unicode_escape"])
def test_half_a_character_is_no_text(encoding, tmp_path, migrate):
    half = b"+2AA-" if encoding == "utf-7" else b"\\ud800"
    raw = b"# coding: " + encoding.encode() + b"\n# " + half + b"\n" + OLD.encode()
    (tmp_path / "a.py").write_bytes(raw)
    result = migrate("--write", tmp_path)
    assert result.code == 1 and b"error [undecodable]: it is no text" in result.out
    assert b"internal" not in result.out and (tmp_path / "a.py").read_bytes() == raw


def test_half_a_character_in_a_notebook(tmp_path, migrate):
    raw = b'{"cells": [{"cell_type": "code", "source": ["x = 1 # \\ud800\\n", "tf.nn.nce_loss"]}]}'
    (tmp_path / "a.ipynb").write_bytes(raw)
    result = migrate("--write", tmp_path)
    assert result.code == 1 and b"error [undecodable]: cell 1 is no text" in result.out
    assert (tmp_path / "a.ipynb").read_bytes() == raw


def test_a_link_out_of_the_folder_is_not_written_through(tmp_path, migrate):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "a.py").write_text(OLD)
    (inside / "link.py").symlink_to("../outside/a.py")
    (inside / "sub").mkdir()
    (inside / "own.py").write_text(OLD)
    (inside / "sub" / "own_link.py").symlink_to("../own.py")
    result = migrate("--write", inside)
    assert result.code == 1
    assert f"[not-written]: a link out of {inside}; left as it is".encode() in result.out
    assert f"way out: name the file itself: {outside / 'a.py'}".encode() in result.out
    assert os.listdir(outside) == ["a.py"] and (outside / "a.py").read_text() == OLD
    assert (inside / "own.py").read_text() == NEW
    # It is shown, and whoever names it means it.
    assert b"nce_loss" in migrate("--diff", inside).out
    assert migrate("--write", inside / "link.py").code == 0
    assert (outside / "a.py").read_text() == NEW and (inside / "link.py").is_symlink()


def test_a_link_out_of_the_folder_to_a_file_that_is_named_too(tmp_path, migrate):
    (tmp_path / "inside").mkdir()
    (tmp_path / "a.py").write_text(OLD)
    (tmp_path / "inside" / "link.py").symlink_to("../a.py")
    assert migrate("--write", tmp_path / "inside", tmp_path / "a.py").code == 0
    assert (tmp_path / "a.py").read_text() == NEW


def test_a_link_within_a_folder_that_is_a_link(tmp_path, migrate):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.py").write_text(OLD)
    (tmp_path / "link").symlink_to("real")
    assert migrate("--write", tmp_path / "link").code == 0
    assert (tmp_path / "real" / "a.py").read_text() == NEW


KILLED = """
import os, signal, sys
from tf_sampled_compat.migrate.output import writing
setattr(os, sys.argv[2], lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
raw = open(sys.argv[1], "rb").read()
writing.write(sys.argv[1], raw, b"new")
"""


@pytest.mark.parametrize("step", ["fchmod", "fsync", "link", "replace"])
def test_what_a_killed_run_leaves_is_removed_by_the_next(step, tmp_path, migrate):
    path = tmp_path / "a.py"
    path.write_text(OLD)
    users = [tmp_path / ".a.py.migrate-notes.tmp", tmp_path / ".b.py.migrate-abcdefgh.tmp"]
    for other in users:
        other.write_text("mine")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), step], timeout=300)
    assert killed.returncode == -signal.SIGKILL and path.read_text() == OLD
    [left] = [p for p in tmp_path.glob(".a.py*") if p not in users]
    with locks.locked(str(left)):  # As if that run were still at work.
        writing.write(str(path), OLD.encode(), OLD.encode())
        assert left.exists()
    assert migrate("--write", tmp_path).code == 0 and path.read_text() == NEW
    assert not left.exists() and all(other.read_text() == "mine" for other in users)
