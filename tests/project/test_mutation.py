"""Mutation testing itself: which mutants there are, how their tests end, and what fails a run."""

import pathlib
import subprocess
import sys

import pytest

from tests.mutation import mutants, runner, survivors, watched

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = '''
"""A module."""

def first(a, b):
    return a + b if a < b else not b


def second(a):
    """Says 1 + 1."""
    return a * 2
'''


def names(source, number=100, **options):
    return [mutant.name for mutant in mutants.sample("file.py", source, number, **options)]


def test_each_mutant_is_one_changed_line_of_a_function():
    found = mutants.sample("file.py", SOURCE, 100)
    assert {mutant.function for mutant in found} == {"first", "second"}
    for mutant in found:
        assert mutant.code != SOURCE and "Says 1 + 1" in mutant.code
        assert len(mutant.code.splitlines()) == len(SOURCE.splitlines())
    assert "file.py: second\n- return a * 2\n+ return a / 2" in names(SOURCE)
    assert (
        "file.py: first\n- return a + b if a < b else not b\n+ return a + b if a <= b else not b"
        in (names(SOURCE))
    )


def test_a_change_of_one_function_leaves_the_sample_of_the_other():
    changed = SOURCE.replace("a + b", "1 + a").replace("\ndef first", "\nNEW = 3\n\n\ndef first")
    before, after = names(SOURCE), names(changed)
    second = [name for name in before if ": second\n" in name]
    assert second == [name for name in after if ": second\n" in name]


def test_the_star_before_keyword_arguments_is_no_product():
    assert names("def f(a, *, b):\n    return b\n") == []


def test_another_seed_is_another_sample_and_the_same_seed_the_same():
    assert names(SOURCE, 2) == names(SOURCE, 2)
    assert len({tuple(names(SOURCE, 2, seed=seed)) for seed in range(5)}) > 1


def test_each_file_of_the_rooms_has_tests_that_exist():
    files = watched.files(ROOT)
    assert len(files) > 30
    for file in files:
        for test in watched.tests_of(file):
            path, _, function = test.partition("::")
            assert f"def {function}" in (ROOT / path).read_text(), test


def test_each_explained_survivor_is_still_in_the_code():
    for name in survivors.explained():
        place, before, _ = name.split("\n")
        file, _, function = place.partition(": ")
        source = (ROOT / file).read_text()
        known = {*mutants.function_of_lines(source).values(), "the module"}
        assert function in known, f"there is no {function} in {file}"
        assert before[2:] in " ".join(source.split()), f"{file} has no line {before[2:]}"


@pytest.mark.parametrize(
    "block", ["f.py: g\n- a\n+ b", "f.py: g\n- a\n+ b\n ", "f.py: g\n+ a\n- b\nwhy"]
)
def test_a_survivor_without_a_reason_is_malformed(block):
    with pytest.raises(survivors.Malformed):
        survivors.explained(block)


def test_only_a_survivor_that_nothing_explains_fails_the_run(capsys):
    explained, planted, noticed = mutants.sample("file.py", SOURCE, 3)
    results = [(explained, "passed"), (planted, "passed"), (noticed, "failed")]
    assert runner.report(results, 0, {explained.name: "why"}) == [planted]
    assert planted.name in capsys.readouterr().out
    assert runner.report(results[::2], 0, {explained.name: "why"}) == []


ENDS = {
    "passed": "def test(): pass",
    "failed": "def test(): assert False",
    "no tests": "",
    "crashed": "import os, signal\ndef test(): os.kill(os.getpid(), signal.SIGSEGV)",
    "too long": "def test():\n    while True: pass",
}


@pytest.mark.parametrize("verdict, test", [*ENDS.items(), ("failed", "import no_such_module")])
def test_how_the_tests_of_a_mutant_end(verdict, test, tmp_path):
    """In a process of its own, as this one has threads."""
    (tmp_path / "test_it.py").write_text(test)
    code = """
import sys
from tests.mutation import forked
print(forked.run_tests([sys.argv[1] + "/test_it.py"], sys.argv[1] + "/log", 3).verdict)
"""
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert result.stdout.strip() == verdict, result.stderr
