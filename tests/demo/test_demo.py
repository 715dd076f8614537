"""The demo, as a user runs it: what it prints, writes and refuses, and how it stops."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_sampled_compat import __main__ as commands
from tf_sampled_compat.cli import exit_codes
from tf_sampled_compat.demo import corpus
from tf_sampled_compat.demo.interruption import Interruption

NAMES = [
    "tf.nn.sampled_softmax",
    "SampledSoftmax",
    "SampledSparseSoftmax",
    "RankSampledSoftmax",
    "tf.nn.nce",
    "NCE",
]
SHOWN = ["full_softmax", *NAMES]
TWINS = {
    "SampledSoftmax": "tf.nn.sampled_softmax",
    "SampledSparseSoftmax": "tf.nn.sampled_softmax",
    "NCE": "tf.nn.nce",
}
PNG = b"\x89PNG\r\n\x1a\n"


def command(*options, code=None):
    """Returns the command line; `code` replaces the program if a test modifies it."""
    return [sys.executable, *(["-c", code] if code else ["-m", "tf_sampled_compat"]), *options]


def run(*options, code=None, **variables):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "100", **variables}
    return subprocess.run(
        command(*map(str, options), code=code),
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )


def rows(printed):
    """Returns the table's rows: name -> cells."""
    lines = [line.split() for line in printed.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if cells and cells[0] in SHOWN}


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return run("demo", "--quick", "--output", folder / "new" / "folder"), folder / "new" / "folder"


def test_quick_run_prints_every_row_and_draws_the_curves(quick):
    process, folder = quick
    assert process.returncode == 0, process.stderr
    table = rows(process.stdout)
    assert list(table) == NAMES
    assert all(len(cells) == 8 for cells in table.values())
    for name in ("training", "evaluating", "Neighbours", "tsc: fused, the C++ op for"):
        assert name in process.stdout
    assert [path.name for path in folder.iterdir()] == ["curves.png"]
    picture = (folder / "curves.png").read_bytes()
    assert picture.startswith(PNG) and len(picture) > 20_000
    assert "WARNING:tensorflow" not in process.stdout + process.stderr
    assert "…" not in process.stdout, "a table is cut"


def test_figures_are_sensible_and_ours_are_those_of_stock(quick):
    table = rows(quick[0].stdout)
    for name, (_, milliseconds, gain, held_out, rank, recall, *off) in table.items():
        assert float(milliseconds) > 0
        assert 5 < float(held_out) < 7 and 1 < float(rank.replace(",", "")) < 2000
        assert 10 < float(recall.rstrip("%")) < 60
        if name in TWINS:
            assert 0 < float(off[0]) < 1e-5 and float(off[1]) < 1e-5
            assert table[TWINS[name]][0] == table[name][0]
            assert table[TWINS[name]][3:6] == table[name][3:6]
            expected = float(table[TWINS[name]][1]) / float(milliseconds)
            assert abs(float(gain) - expected) < 0.02 * expected + 0.02
        else:
            assert gain == "-" and off == ["-", "-"]


def test_own_text_is_learned_from(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    text, out = tmp_path / "own.txt", tmp_path / "out"
    words = "the cat sat on the mat and saw a dog run " * 60 + " ".join(
        f"w{k % 41}" for k in range(2000)
    )
    text.write_bytes(b"\xff\xfe zebra \x00 " + words.encode())
    options = f"--quick --steps 3 --seed 7 --text {text} --output {out}".split()
    assert commands.main(["demo", *options]) == 0
    printed = capsys.readouterr().out
    assert "seed 7" in printed and list(rows(printed)) == NAMES
    assert f"{len({*words.split(), 'zebra'})} distinct" in printed
    assert (out / "curves.png").read_bytes().startswith(PNG)


def test_full_softmax_is_one_more_row_and_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "100")
    options = f"--quick --steps 3 --full-softmax --classes 300 --output {tmp_path}".split()
    assert commands.main(["demo", *options]) == 0
    printed = capsys.readouterr().out
    table = rows(printed)
    assert list(table) == SHOWN and " 300 distinct" in printed
    assert table["full_softmax"][2] == "-" and float(table["full_softmax"][3]) > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "full_softmax.png"]
    picture = (tmp_path / "full_softmax.png").read_bytes()
    assert picture.startswith(PNG) and len(picture) > 10_000


def test_vocabulary_is_in_decreasing_frequency():
    paths = corpus.standard_library()
    assert len(paths) > 200 and not any("site-packages" in path.parts for path in paths)
    text = corpus.build(map(corpus.identifiers, paths[::20]), width=3)
    assert len(text.counts) == text.num_classes == len(set(text.vocabulary)) > 1000
    assert np.all(np.diff(text.counts) <= 0) and text.counts[-1] >= 1
    seen = np.bincount(text.train.labels[:, 0], minlength=text.num_classes)
    assert np.all(seen <= text.counts) and seen.sum() > 0.9 * text.counts.sum()
    assert 0 < text.unknown < 0.5


def test_windows_are_places_of_the_text_and_held_out_text_is_not_trained_on():
    documents = [[f"w{(10 * d + k) % 300}" for k in range(90)] for d in range(50)]
    text = corpus.build(documents, width=2)
    for windows in (text.train, text.held_out):
        names = np.array(text.vocabulary)[np.hstack([windows.contexts, windows.labels])]
        numbers = np.char.lstrip(names, "w").astype(int)
        assert np.all(np.diff(numbers, axis=1) % 300 == 1)  # Across documents it would jump.
    assert len(text.train) == 48 * 88 and len(text.held_out) == 2 * 88 and text.unknown == 0
    assert text.counts.sum() == 48 * 90  # Two of fifty documents are held out.


def test_the_most_frequent_identifiers_alone():
    documents = [["a", "b", "rare", f"w{d}", "a", "b", "a"] for d in range(400)]
    text = corpus.build(documents, width=1, most=3)
    assert text.vocabulary == ["a", "b", "rare"]
    assert text.counts.tolist() == [3 * 380, 2 * 380, 380]
    assert text.unknown == pytest.approx(1 / 7)
    # Neighbours are the remaining words: "a" follows the removed "rare".
    assert {tuple(row) for row in np.hstack([text.train.contexts, text.train.labels])} == {
        (0, 1), (1, 2), (2, 0), (1, 0)
    }  # fmt: skip


def test_python_is_read_without_its_strings_and_comments(tmp_path):
    source = tmp_path / "module.py"
    source.write_bytes(
        textwrap.dedent(
            '''
            """A docstring's "words" \\""" still."""
            def spam(eggs, größe=0x1F, rest=1e5):  # a comment's words
                return rb'raw' + f"{eggs}" + 'it\\'s' + eggs.ham_2
            \'\'\'unfinished
            '''
        ).encode()
        + b" \xff words"
    )
    expected = "def spam eggs größe rest return eggs ham_2".split()
    assert corpus.identifiers(source) == expected
    plain = tmp_path / "notes.txt"
    plain.write_bytes("it's größe \xff 3x".encode() + b" \xff end")
    assert corpus.identifiers(plain) == ["it", "s", "größe", "ÿ", "end"]


@pytest.mark.parametrize(
    "options, message",
    [
        (["--text", "missing.py"], "argument --text: cannot read missing.py"),
        (["--text", "."], "argument --text: cannot read .: Is a directory"),
        (["--text", "empty.txt"], "argument --text: at least 1,000 identifiers are needed, not 0"),
        (["--text", "short.txt"], "argument --text: at least 1,000 identifiers are needed, not 3"),
        (["--text", "uniform.txt"], "argument --text: too uniform"),
        (["--text", "good.txt", "--sampled", "90"], "argument --sampled: must be less than the 90"),
        (["--text", "good.txt", "--output", "empty.txt"], "argument --output: cannot make"),
        (["--text", "good.txt", "--output", "empty.txt/a"], "argument --output: cannot make"),
        (["--text", "good.txt", "--classes", "9"], "argument --text: too uniform"),
        (["--steps", "0"], "argument --steps: must be positive, not 0"),
        (["--dim", "wide"], "argument --dim: must be a whole number, not 'wide'"),
        (["--seed", "-1"], "argument --seed: must be in [0, 2**31), not -1"),
    ],
)
def test_bad_input_names_the_argument_before_anything_is_written(
    options, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").touch()
    (tmp_path / "short.txt").write_text("a few words")
    (tmp_path / "uniform.txt").write_text("word " * 2000)
    (tmp_path / "good.txt").write_text(" ".join(f"w{k % 90}" for k in range(3000)))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as stop:
        commands.main(["demo", *options])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert sorted(tmp_path.iterdir()) == before


def plain(printed):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", printed)


def interrupt(process, once_printed):
    """Sends Ctrl-C to a demo once it has printed some words; returns all its output."""
    printed, watchdog = "", threading.Timer(120, process.kill)
    watchdog.start()
    while not re.search(once_printed, plain(printed)):
        more = os.read(process.stdout.fileno(), 65536).decode(errors="replace")
        assert more, f"the demo ended, or hung and was killed: {plain(printed)[-2000:]}"
        printed += more
    watchdog.cancel()
    process.send_signal(signal.SIGINT)
    return plain(printed + process.communicate(timeout=60)[0].decode(errors="replace"))


@pytest.mark.parametrize(
    "once_printed, table", [(r"training\D+[1-9]\d*/1000000", True), (r"the last 4", False)]
)
def test_interrupted_it_shows_what_it_has(once_printed, table, tmp_path):
    environment = {**os.environ, "COLUMNS": "100", "FORCE_COLOR": "1", "TERM": "xterm"}
    process = subprocess.Popen(
        command("demo", "--quick", "--steps", "1000000", "--output", str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    try:
        printed = interrupt(process, once_printed)
    finally:
        process.kill()
    assert process.returncode == exit_codes.INTERRUPTED, printed
    assert "Traceback" not in printed and "KeyboardInterrupt" not in printed
    assert ("stopped after" in printed) == table
    if table:
        assert list(rows(printed)) == NAMES and "-" not in rows(printed)["NCE"]
    assert (tmp_path / "curves.png").exists() == table


def test_a_second_interruption_stops_at_once():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        assert not interruption.requested
        signal.raise_signal(signal.SIGINT)
        assert interruption.requested
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_stopped_at_once_leaves_no_traceback(monkeypatch, capsys):
    def interrupted(options, program):
        assert (options, program) == (["--a", "b"], "python -m tf_sampled_compat new")
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "new_command", SimpleNamespace(main=interrupted))
    monkeypatch.setitem(commands.COMMANDS, "new", commands.Command("new_command", "a new one"))
    assert commands.main(["new", "--a", "b"]) == exit_codes.INTERRUPTED
    assert capsys.readouterr().err.strip() == "stopped"


@pytest.mark.parametrize("missing", ["rich", "matplotlib"])
def test_a_missing_extra_is_named(missing, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, missing, None)
    assert commands.main(["demo", "--output", str(tmp_path / "out")]) == 1
    assert "demo needs rich and matplotlib: pip install 'tf_sampled_compat[demo]'" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


def test_only_the_demos_report_needs_its_extras():
    """The message about a missing extra relies on this; runs in a process without the extras."""
    code = "import sys; sys.modules['rich'] = sys.modules['matplotlib'] = None\n"
    process = run(
        "demo", code=code + "from tf_sampled_compat.__main__ import main; sys.exit(main())"
    )
    assert process.returncode == 1 and "pip install 'tf_sampled_compat[demo]'" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.skipif(not hasattr(tf.keras, "Variable"), reason="Keras 2 has one backend")
def test_another_backend_of_keras_is_named(tmp_path):
    process = run("demo", "--quick", "--output", tmp_path / "out", KERAS_BACKEND="numpy")
    assert process.returncode == 1 and "KERAS_BACKEND" in process.stderr
    assert "Traceback" not in process.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments, code", [([], 2), (["nonsense"], 2), (["-h"], 0)])
def test_without_a_command_the_usage_lists_them(arguments, code, capsys):
    assert commands.main(arguments) == code
    out, err = capsys.readouterr()
    assert "usage: python -m tf_sampled_compat COMMAND" in out + err
    assert all(re.search(rf"^  {name} ", out + err, re.MULTILINE) for name in commands.COMMANDS)
    assert bool(err) == (code != 0)
    assert ("unknown command 'nonsense'" in err) == (arguments == ["nonsense"])


def test_help_of_the_demo_lists_its_options(capsys):
    with pytest.raises(SystemExit) as stop:
        commands.main(["demo", "-h"])
    assert stop.value.code == 0
    page = capsys.readouterr().out
    assert page.startswith("usage: python -m tf_sampled_compat demo")
    for name in "steps batch dim sampled classes seed text output quick full-softmax".split():
        assert f"--{name}" in page
