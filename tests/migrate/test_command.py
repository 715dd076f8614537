"""The command: its modes, its standard input and output, its exit codes."""

import io
import os
import re
import subprocess
import sys

import pytest

from tests.migrate.snippets import NEW, OLD
from tf_sampled_compat.migrate import progress

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src" / "sub").mkdir(parents=True)
    (tmp_path / "src" / "a.py").write_text(OLD)
    (tmp_path / "src" / "sub" / "b.py").write_text(OLD.rstrip("\n"))
    (tmp_path / "src" / "c.py").write_text("x = 1\n")
    return tmp_path


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_diff_is_the_default_and_writes_nothing(tree, migrate):
    before = contents(tree)
    for options in ([], ["--diff"]):
        result = migrate(*options, "src")
        assert result.code == 0 and contents(tree) == before
        assert result.out.startswith(b"--- a/src/a.py\n+++ b/src/a.py\n@@ ")
        assert b"\n-loss = tf.nn.nce_loss(w, b, y, x, 5, 50)\n\\ No newline at end of" in result.out
        assert "src/a.py:2:8: changed: tf.nn.nce_loss -> tsc.compat.v1.nn.nce_loss" in result.err
        assert "3 files: 2 to change, 0 places to look at, 0 errors; 1 name no loss" in result.err


def test_the_diff_applied_is_what_write_writes(tree, migrate):
    crlf = tree / "src" / "crlf.py"
    crlf.write_bytes(b"# caf\xe9 -*- coding: latin-1 -*-\r\n" + OLD.replace("\n", "\r\n").encode())
    patch = migrate("src").out
    (tree / "patched").mkdir()
    for path in ("src/a.py", "src/sub/b.py", "src/crlf.py"):
        (tree / "patched" / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / "patched" / path).write_bytes((tree / path).read_bytes())
    applied = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-p1", "-"], input=patch, cwd=tree / "patched",
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree)}, capture_output=True,
    )  # fmt: skip
    assert applied.returncode == 0, applied.stderr
    assert migrate("--write", "src").code == 0
    for path in ("src/a.py", "src/sub/b.py", "src/crlf.py"):
        assert (tree / "patched" / path).read_bytes() == (tree / path).read_bytes()
    assert (tree / "src/a.py").read_text() == NEW
    assert (
        crlf.read_bytes()
        == b"# caf\xe9 -*- coding: latin-1 -*-\r\n" + NEW.replace("\n", "\r\n").encode()
    )


def test_write_reports_keeps_backups_and_is_idempotent(tree, migrate):
    result = migrate("--write", "src")
    assert result.code == 0
    assert b"src/a.py:2:8: changed" in result.out and b"3 files: 2 changed" in result.out
    written = contents(tree)
    assert written["src/a.py"] == NEW and written["src/a.py.bak"] == OLD
    assert migrate("--write", "src").code == 0
    assert contents(tree) == written


def test_check_is_for_ci(tree, migrate):
    before = contents(tree)
    result = migrate("--check", "src")
    assert result.code == 1 and b"2 to change" in result.out and contents(tree) == before
    migrate("--write", "src")
    assert migrate("--check", "src").code == 0
    advised = tree / "src" / "c.py"
    advised.write_text("import tf_sampled_compat as tsc\ntsc.nn.nce_loss(k.T, b, y, x, 5, 50)\n")
    result = migrate("--check", "src")
    assert result.code == 1 and b"c.py:2:17: look [transposed-weights]: " in result.out
    assert b"\n    way out: keep the table as [num_classes, dim]" in result.out
    assert migrate("src").code == 0  # only --check asks for it
    advised.write_text(advised.read_text()[:-1] + "  # migrate: ok\n")
    assert migrate("--check", "src").code == 0


def test_standard_input(migrate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = migrate("-", stdin=OLD.encode())
    assert result.code == 0 and b"+++ b/<stdin>" in result.out and "<stdin>:2:8" in result.err
    result = migrate("--write", "-", stdin=OLD.encode())
    assert result.code == 0 and result.out == NEW.encode() and "<stdin>:2:8" in result.err
    assert migrate("--check", "-", stdin=OLD.encode()).code == 1
    assert migrate("--check", "-", stdin=NEW.encode()).code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stdin", [b"", b"x = 1", b"print 'tf.nn.nce_loss'\n", b"\xff nce_loss"])
def test_standard_input_is_never_lost(stdin, migrate):
    result = migrate("--write", "-", stdin=stdin)
    assert result.out == stdin
    assert result.code == (1 if b"nce_loss" in stdin else 0)


def test_from_says_the_era(migrate):
    for era, namespace in (("0.x", "compat.v0.nn"), ("1.x", "compat.v1.nn"), ("2.x", "nn")):
        result = migrate("--from", era, "--write", "-", stdin=OLD.encode())
        assert f"tsc.{namespace}.nce_loss".encode() in result.out


@pytest.mark.parametrize(
    "options, word",
    [
        (["nowhere.py"], "nowhere.py does not exist"),
        ([], "PATH"),
        (["--from", "3.x", "-"], "3.x"),
        (["--write", "--check", "-"], "not allowed"),
        (["-", "-"], "- stands alone"),
    ],
)
def test_wrong_calls(options, word, tree, migrate):
    before = contents(tree)
    result = migrate(*options, *(["src"] if "nowhere.py" in options else []), "--write")
    assert result.code == 2 and word in result.err and contents(tree) == before


def test_the_example_in_the_docs(tmp_path, monkeypatch, migrate):
    page = open(os.path.join(ROOT, "docs", "migrate.md"), encoding="utf-8").read()
    example = re.search(r"^```diff\n(.*?)^```\n\n```\n(.*?)^```", page, re.M | re.S)
    diff = example.group(1).splitlines()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text("".join(f"{x[1:]}\n" for x in diff if x[:1] != "+"))
    result = migrate("--write", "model.py")
    after = "".join(f"{x[1:]}\n" for x in diff if x[:1] != "-")
    assert (tmp_path / "model.py").read_text() == after
    assert result.out.decode().startswith(example.group(2))


def test_without_libcst_it_says_what_to_install(tree, migrate, monkeypatch):
    monkeypatch.setitem(sys.modules, "libcst", None)
    result = migrate("src")
    assert result.code == 1 and "pip install 'tf_sampled_compat[migrate]'" in result.err


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_the_count_shows_on_a_terminal_only(stream, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setattr(progress, "_SECONDS", 0)
    counter = progress.Counter()
    counter.advance()
    counter.clear()
    counter.clear()
    shown = "\r\x1b[K1 files\r\x1b[K" if stream is Terminal else ""
    assert sys.stderr.getvalue() == shown


def test_as_a_process_whose_reader_leaves(tree):
    """A closed pipe ends it without a traceback; the words that no encoding has are escaped."""
    for number in range(300):
        (tree / "src" / f"n{number}_\udcff.py").write_text(OLD * 20)
    environment = {**os.environ, "PYTHONPATH": ROOT, "PYTHONIOENCODING": "ascii"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tf_sampled_compat", "migrate", "src"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    process.stdout.read(10)
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(120) == 141 and b"Traceback" not in errors
    process.stderr.close()
