"""The layout of the tests: they mirror the package and share only conftests and helpers."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
MODULES = sorted(path for path in TESTS.rglob("*.py") if "programs" not in path.parts)
CLOCKS = {"perf_counter", "process_time", "thread_time", "time", "monotonic"}


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported(tree):
    """Yields the dotted names that a module imports, also in functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_imports_a_test_module(path):
    """Test modules share fixtures of a conftest.py, or helpers without tests."""
    for name in imported(ast.parse(path.read_text())):
        is_test = name.startswith("tests.") and ".test_" in name
        assert not is_test, f"{name_of(path)} imports {name}: move what they share to a helper"


def clocks(tree):
    """Yields the lines that read a clock or import one by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "time" and node.attr in CLOCKS:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            if CLOCKS & {alias.name for alias in node.names}:
                yield node.lineno


@pytest.mark.parametrize("path", [p for p in MODULES if p.name.startswith("test_")], ids=name_of)
def test_no_test_reads_a_clock(path):
    """On a busy machine any time limit is too short: count ops, calls or bytes instead."""
    assert list(clocks(ast.parse(path.read_text()))) == [], "lines that read a clock"


def test_each_folder_of_tests_is_a_package():
    """Without `__init__.py`, two test modules with the same name collide."""
    folders = {path.parent for path in MODULES}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
