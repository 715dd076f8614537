"""How the tests are laid out: they mirror the package, and share by conftest and helpers alone."""

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
    """Yields the dotted names that a module imports, those of functions' bodies too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_imports_a_test_module(path):
    """What two test modules share is a fixture of a conftest.py, or a helper without tests."""
    for name in imported(ast.parse(path.read_text())):
        is_test = name.startswith("tests.") and ".test_" in name
        assert not is_test, f"{name_of(path)} imports {name}: move what they share to a helper"


@pytest.mark.parametrize("path", [p for p in MODULES if p.name.startswith("test_")], ids=name_of)
def test_no_test_reads_a_clock(path):
    """A machine that is busy makes any time too long: count ops, calls or bytes instead."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_time = isinstance(node.func.value, ast.Name) and node.func.value.id == "time"
            assert not (of_time and node.func.attr in CLOCKS), f"line {node.lineno} reads a clock"


def test_each_folder_of_tests_is_a_package():
    """Without `__init__.py` two test modules of one name in two folders collide."""
    folders = {path.parent for path in MODULES}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
