"""Files as they are found, read and written: the odd, the hostile and the unlucky."""

import os
import pathlib
import stat

import pytest

from tests.migrate.snippets import NEW, OLD
from tf_sampled_compat.migrate import discovery, files, reading, writing


def found(*paths):
    return [os.path.basename(entry.path) for entry in discovery.files(map(str, paths))]


def test_folders_are_searched_but_for_others_code(tmp_path):
    inside = ["a.py", "b.ipynb", "c.pyw", "d.txt", ".e.py", "f.pyi", "sub/g.py", "build/h.py"]
    others = [".git/x.py", "env/x.py", "lib/site-packages/x.py", "node_modules/x.py"]
    for name in [*inside, *others, "env/pyvenv.cfg"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(OLD)
    assert found(tmp_path) == ["a.py", "b.ipynb", "c.pyw", "h.py", "g.py"]
    assert found(tmp_path / "lib/site-packages") == ["x.py"]
    assert found(tmp_path / "d.txt") == ["d.txt"]
    assert found(tmp_path / "a.py", tmp_path) == ["a.py", "b.ipynb", "c.pyw", "h.py", "g.py"]


def test_links(tmp_path, migrate):
    (tmp_path / "a.py").write_text(OLD)
    (tmp_path / "link.py").symlink_to("a.py")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "round.py").symlink_to("round.py")
    (tmp_path / "dangling.py").symlink_to("nowhere")
    assert found(tmp_path) == ["a.py", "dangling.py", "round.py"]
    result = migrate("--write", tmp_path)
    assert result.code == 1 and result.out.count(b"error [unreadable]: cannot be read: ") == 2
    assert (tmp_path / "a.py").read_text() == NEW

    (tmp_path / "a.py").write_text(OLD)
    result = migrate("--write", tmp_path / "link.py")
    assert result.code == 0 and (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "a.py").read_text() == NEW
    assert migrate(tmp_path / "round.py").code == 1


@pytest.mark.parametrize(
    "raw, word",
    [
        (OLD.encode() + b"\0", "binary: it holds NUL bytes"),
        (OLD.encode() + b"# \xff\n", "not the encoding it is declared to be"),
        (b"# -*- coding: klingon -*-\n" + OLD.encode(), "its encoding is unknown"),
        (OLD.replace("\n", "\r").encode(), "LibCST does not give its code back"),
        (b"print 'x'\n" + OLD.encode(), "not Python 3, Python 2 by the look of it"),
        (b"x = = 1\n" + OLD.encode(), "not Python 3: left as it is"),
        (OLD.encode() + b"x = " + b"(" * 5000 + b"1" + b")" * 5000, "nested too deeply"),
        (OLD.encode() + b"x = " + b"not " * 50000 + b"1", "nested too deeply"),
        (OLD.encode() + b"if a: pass\n" + b"elif b: pass\n" * 800, "nested too deeply"),
    ],
)
def test_what_is_not_python_is_named_and_left_alone(raw, word, tmp_path, migrate):
    (tmp_path / "a.py").write_bytes(raw)
    (tmp_path / "b.py").write_text(OLD)
    result = migrate("--write", tmp_path)
    assert result.code == 1 and b"a.py" in result.out and word.encode() in result.out
    assert (tmp_path / "a.py").read_bytes() == raw
    assert (tmp_path / "b.py").read_text() == NEW


def test_what_concerns_nobody_is_not_even_decoded(tmp_path, migrate):
    (tmp_path / "a.py").write_bytes(b"print 'x', '\xff'\0")
    with open(tmp_path / "huge.py", "wb") as file:
        file.truncate(reading.LARGEST + 1)
    result = migrate("--check", tmp_path)
    assert result.code == 0 and b"2 name no loss" in result.out


def test_too_large_a_file(tmp_path, migrate):
    with open(tmp_path / "huge.py", "wb") as file:
        file.truncate(reading.LARGEST + 1)
        file.seek(0, os.SEEK_END)
        file.write(b"tf.nn.nce_loss")
    result = migrate(tmp_path)
    assert result.code == 1 and "too large: 16,777,231 bytes" in result.err


def test_a_pipe_is_no_file(tmp_path, migrate):
    os.mkfifo(tmp_path / "pipe.py")
    result = migrate(tmp_path)
    assert result.code == 1 and "not a regular file" in result.err


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1251", "utf-8-sig", "shift_jis"])
def test_encodings_stay(encoding, tmp_path, migrate):
    word = {"latin-1": "é", "cp1251": "ж", "shift_jis": "日本"}.get(encoding, "é日")
    cookie = "" if encoding.startswith("utf") else f"# vim: set fileencoding={encoding} :\n"
    path = tmp_path / "a.py"
    path.write_bytes(f"{cookie}s = '{word}'; {OLD}t = '{word}'".encode(encoding))
    assert migrate("--write", path).code == 0
    assert path.read_bytes() == f"{cookie}s = '{word}'; {NEW}t = '{word}'".encode(encoding)


def test_backups_never_overwrite_and_modes_stay(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("0")
    path.chmod(0o750)
    for number in range(3):
        backup = writing.write(str(path), str(number).encode(), str(number + 1).encode())
        assert open(backup).read() == str(number)
    assert sorted(os.listdir(tmp_path)) == ["a.py", "a.py.bak", "a.py.bak.1", "a.py.bak.2"]
    assert path.read_text() == "3" and stat.S_IMODE(path.stat().st_mode) == 0o750


def test_without_hard_links_the_backup_is_a_copy(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "no links")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a.py"
    for number in range(2):
        path.write_text(str(number))
        writing.write(str(path), str(number).encode(), b"new")
    assert [(tmp_path / f"a.py.bak{n}").read_text() for n in ("", ".1")] == ["0", "1"]


def test_nothing_is_lost_when_writing_fails(tmp_path, migrate, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text(OLD)
    path.chmod(0o444)
    result = migrate("--write", tmp_path)
    assert result.code == 1 and b"error [not-written]: read-only" in result.out
    assert b"0 changed" in result.out and b": changed: " not in result.out
    path.chmod(0o644)
    with pytest.raises(writing.NotWrittenError, match="changed meanwhile"):
        writing.write(str(path), b"something else", b"new")

    def full(*_):
        raise OSError(28, "No space left on device")

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(writing.os, step, full)
            result = migrate("--write", tmp_path)
        assert result.code == 1 and b"No space left on device; left as it is" in result.out
        assert os.listdir(tmp_path) == ["a.py"] and path.read_text() == OLD


def test_a_defect_costs_one_file_only(tmp_path, migrate, monkeypatch):
    from tf_sampled_compat.migrate import python

    examine = python.examine

    def broken(source, era):
        if b"unlucky" in source.code:
            raise RuntimeError("a defect")
        return examine(source, era)

    monkeypatch.setattr(python, "examine", broken)
    (tmp_path / "a.py").write_text(OLD + "# unlucky\n")
    (tmp_path / "b.py").write_text(OLD)
    result = migrate("--write", tmp_path)
    assert result.code == 1 and b"migrate failed on it: RuntimeError: a defect" in result.out
    assert (tmp_path / "b.py").read_text() == NEW


def test_what_would_not_parse_is_not_written(tmp_path, migrate, monkeypatch):
    from tf_sampled_compat.migrate import rewriting

    monkeypatch.setattr(rewriting, "_prefix", lambda *_: rewriting.Edit(0, 1, "("))
    (tmp_path / "a.py").write_text(OLD)
    result = migrate("--write", tmp_path)
    assert result.code == 1 and b"error [internal]" in result.out
    assert (tmp_path / "a.py").read_text() == OLD


def test_a_file_that_names_no_loss_is_opened_once_and_nothing_is_made_of_it(
    tmp_path, migrate, monkeypatch
):
    """Hence a large tree goes by at the speed of reading: `migrate` itself prints files/s."""
    text = pathlib.Path(discovery.__file__).read_text()
    for number in range(40):
        (tmp_path / f"{number}.py").write_text(text)
    (tmp_path / "hit.py").write_text(OLD)
    opened, examined, real_open, real_migrate = [], [], os.open, files.migrate

    def open_and_count(path, *arguments, **options):
        opened.append(os.path.basename(path))
        return real_open(path, *arguments, **options)

    def migrate_and_count(raw, *arguments, **options):
        examined.append(raw)
        return real_migrate(raw, *arguments, **options)

    monkeypatch.setattr(os, "open", open_and_count)
    monkeypatch.setattr(files, "migrate", migrate_and_count)
    result = migrate(tmp_path)
    assert "40 name no loss" in result.err and "files/s" in result.err
    assert sorted(opened) == sorted([*(f"{number}.py" for number in range(40)), "hit.py"])
    assert examined == [OLD.encode()]
