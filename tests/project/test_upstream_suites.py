"""The page that says where the facts of other suites are tested names tests that exist."""

import ast
import pathlib
import re

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
PAGE = (TESTS / "upstream_suites.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and "---" not in line]
NAME = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_suite_has_a_table():
    suites = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert len(suites) > 9 and all("\n| test | here |\n|---|---|\n| " in each for each in suites)


@pytest.mark.parametrize("file", sorted({file for file, _ in NAME.findall(PAGE)}))
def test_the_tests_exist(file):
    functions = {
        node.name
        for node in ast.parse((TESTS / file).read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    named = {test for other, test in NAME.findall(PAGE) if other == file}
    assert named <= functions, named - functions


def test_every_row_names_a_test_or_a_reason():
    for row in ROWS:
        _, theirs, ours, _ = row.split("|")
        assert theirs.strip() and (
            ours.strip() == "here" or NAME.search(ours) or ours.startswith(" Not here: ")
        ), row
