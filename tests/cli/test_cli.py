"""The shared parts of the commands: tables, the output folder, numbers, missing packages."""

import argparse
import sys

import pytest
from rich.progress import TimeElapsedColumn

from tf_sampled_compat.cli import console, options, packages

LONG = [f"{letter * 90} end" for letter in "abc"]


def print_a_table():
    table = console.table("a title " + "of many words " * 10)
    for cell in LONG:
        table.add_column(f"about {cell[0]}", no_wrap=True)
    table.add_row(*LONG)
    console.show(console.make(), "a line", table)


@pytest.mark.parametrize("columns", ["40", None])
def test_a_table_is_printed_whole_where_the_output_is_no_terminal(columns, monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    print_a_table()
    printed = capsys.readouterr().out
    assert "…" not in printed and all(cell in printed for cell in LONG)
    assert "\n\na title of many words" in printed
    assert "about a" in printed and max(map(len, printed.splitlines())) < 400


def test_a_terminal_sets_the_width(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "70")
    assert console.make().width == 70


def test_progress_outside_a_terminal_is_one_short_line_for_each_task(monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with console.progress(console.make(), TimeElapsedColumn(), width=8) as progress:
        task = progress.add_task("counting", total=2, note="now")
        progress.update(task, advance=1)
        progress.update(task, advance=1, note="done")
    (line,) = filter(str.strip, capsys.readouterr().out.splitlines())
    assert line.startswith("counting") and "2/2" in line and line.rstrip().endswith("done")
    assert len(line) < 100


@pytest.mark.parametrize("text, number", [("7", 7), (" 12 ", 12), ("1_000", 1000)])
def test_positive_numbers(text, number):
    assert options.positive(text) == number


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "", "many"])
def test_other_numbers_are_refused_by_name(text):
    with pytest.raises(argparse.ArgumentTypeError, match="must be"):
        options.positive(text)


def test_the_output_folder_is_made_or_refused(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    options.add_output(parser, "out", holds="the files")
    assert "folder for the files (default: out)" in " ".join(parser.format_help().split())
    chosen = parser.parse_args(["--output", str(tmp_path / "a" / "b")])
    options.make_folder(chosen.output, parser)
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        options.make_folder(tmp_path / "file", parser)
    assert "argument --output: cannot make" in capsys.readouterr().err


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    assert packages.missing("demo", "argparse", "rich") is None
    monkeypatch.setitem(sys.modules, "libcst", None)
    message = "migrate needs LibCST: pip install 'tf_sampled_compat[migrate]'"
    assert packages.missing("migrate", "libcst") == message
    message = "demo needs argparse and libcst: pip install 'tf_sampled_compat[demo]'"
    assert packages.missing("demo", "argparse", "libcst").lower() == message.lower()
