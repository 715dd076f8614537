"""The package's conventions: which rooms import which, what an import does, how long a file is."""

import ast
import graphlib
import importlib
import inspect
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tf_sampled_compat"
MODULES = sorted(PACKAGE.rglob("*.py"))

# The rooms, from the top down: a module imports from its own room and from those below it.
# A name stands for everything under it, except for what has its own entry.
# CONTRIBUTING.md draws them.
ROOMS = [
    ["__main__", "demo", "bench", "doctor"],
    ["migrate"],
    ["migrate.output"],
    ["migrate.rewriting"],
    ["migrate.rules"],
    ["migrate.code"],
    ["migrate.finding", "migrate.notes"],
    ["tf_sampled_compat"],
    ["legacy"],
    ["keras", "tf_keras", "compat", "contrib", "nn", "random"],
    ["diagnose"],
    ["keras_common"],
    ["lazy"],
    ["margins"],
    ["audit"],
    ["core.losses"],
    ["core.samplers"],
    ["core.backends"],
    ["core.tables"],
    ["core.arguments"],
    ["core.tf"],
    ["core", "version", "cli"],
]


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module):
    """Returns the room of a module and its position from the top."""
    inner = module.removeprefix("tf_sampled_compat.")
    found = [
        (len(name), depth, name)
        for depth, names in enumerate(ROOMS)
        for name in names
        if inner == name or inner.startswith(name + ".")
    ]
    return max(found)[1:]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (ROOT / inner.replace(".", "/")).with_suffix(".py").exists()
                is_package = (ROOT / inner.replace(".", "/")).is_dir()
                yield inner if is_module or is_package else node.module


IMPORTS = {
    name_of(path): {other for other in imports(path) if other.startswith("tf_sampled_compat.")}
    for path in MODULES
}


@pytest.mark.parametrize("module", IMPORTS)
def test_imports_point_downwards(module):
    depth, room = room_of(module)
    for other in IMPORTS[module]:
        other_depth, other_room = room_of(other)
        assert other_room == room or other_depth > depth, f"{module} imports {other}"


def test_no_module_imports_itself_by_way_of_others():
    """Imports within a room have an order too: `graphlib` finds it or names the cycle."""
    graphlib.TopologicalSorter(IMPORTS).prepare()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_loss_is_described_by_keyword(path):
    """A dataclass of Python 3.9 cannot be keyword-only, so its constructor calls are checked."""
    described = {"Arguments", "Resampling", "SampledLoss", "Sampling"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in described:
            assert not node.args, f"{path.name}:{node.lineno}: positional arguments"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_private_reaches_below_tensorflows_public_names(path):
    if path.name == "private.py":
        return
    text = path.read_text()
    for private in ("tensorflow.python", "tensorflow.core", "keras.src", "tf.raw_ops.__"):
        assert private not in text, f"{path.name} names {private}"


def run(code, **kwargs):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, **kwargs
    )


def test_import_changes_nothing_and_loads_nothing_more():
    code = """
import sys, logging, warnings, tensorflow as tf
def state():
    return (dict(vars(tf.nn)), dict(vars(tf.compat.v1.nn)), dict(vars(tf)),
            list(logging.root.handlers), list(warnings.filters), tf.executing_eagerly())
before, modules = state(), set(sys.modules)
import tf_sampled_compat
after, new = state(), set(sys.modules) - modules
for a, b in zip(before, after):
    if isinstance(a, dict):
        a = {k: v for k, v in a.items() if k not in ("keras", "estimator")}
        b = {k: v for k, v in b.items() if k in a}
    assert a == b
known = {"keras", "tf_keras", "rich", "matplotlib", "libcst", "scipy"}
heavy = {m.split(".")[0] for m in new} & known
assert not heavy, heavy
"""
    result = run(code)
    assert result.returncode == 0, result.stderr[-2000:]


def test_without_tensorflow_the_import_says_what_to_install():
    result = run("import sys; sys.modules['tensorflow'] = None; import tf_sampled_compat")
    assert result.returncode == 1
    assert "pip install tensorflow" in result.stderr and "ImportError" in result.stderr


def test_imports_from_any_folder(tmp_path):
    result = run("import tf_sampled_compat as t; print(t.__version__)", cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]


def test_files_have_one_idea():
    """A file of more than 350 lines has more than one idea."""
    folders = ("tf_sampled_compat", "tests", "golden", "custom_ops", "examples")
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        lines = len(path.read_text().splitlines())
        assert lines <= 350, f"{path}: {lines} lines"


@pytest.mark.parametrize(
    "namespace", ["nn", "random", "compat.v1.nn", "compat.v0.nn", "contrib.nn"]
)
def test_the_public_surface_is_annotated_and_documented(namespace):
    module = importlib.import_module(f"tf_sampled_compat.{namespace}")
    for name in module.__all__:
        function = getattr(module, name)
        assert function.__name__ == name and "Source: " in function.__doc__
        signature = inspect.signature(function.__init__ if inspect.isclass(function) else function)
        assert signature.return_annotation is not signature.empty
        for parameter in list(signature.parameters.values())[inspect.isclass(function) :]:
            assert parameter.annotation is not parameter.empty, (name, parameter)
