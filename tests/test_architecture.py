"""The conventions that hold the package together, each checked by a command: this one."""

import ast
import importlib
import inspect
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tf_sampled_compat"
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the top to the bottom; a module may import from its own package's layers below only.
LAYERS = [
    ["tf_sampled_compat.__main__", "tf_sampled_compat.demo", "tf_sampled_compat.migrate.command"],
    ["tf_sampled_compat.migrate.run", "tf_sampled_compat.migrate.progress"],
    ["tf_sampled_compat.migrate.report", "tf_sampled_compat.migrate.writing",
     "tf_sampled_compat.migrate.options"],
    ["tf_sampled_compat.migrate.files", "tf_sampled_compat.migrate.discovery"],
    ["tf_sampled_compat.migrate.notebook"],
    ["tf_sampled_compat.migrate.python", "tf_sampled_compat.migrate.magics",
     "tf_sampled_compat.migrate.json_spans", "tf_sampled_compat.migrate.reading"],
    ["tf_sampled_compat.migrate.rewriting", "tf_sampled_compat.migrate.advice"],
    ["tf_sampled_compat.migrate.imports", "tf_sampled_compat.migrate.calls"],
    ["tf_sampled_compat.migrate.references", "tf_sampled_compat.migrate.statements",
     "tf_sampled_compat.migrate.advice.rule"],
    ["tf_sampled_compat.migrate.names", "tf_sampled_compat.migrate.notes",
     "tf_sampled_compat.migrate.edits"],
    ["tf_sampled_compat.migrate", "tf_sampled_compat.migrate.catalogue",
     "tf_sampled_compat.migrate.lines", "tf_sampled_compat.migrate.parsing",
     "tf_sampled_compat.migrate.source"],
    ["tf_sampled_compat"],
    ["tf_sampled_compat.legacy"],
    ["tf_sampled_compat.nn", "tf_sampled_compat.random", "tf_sampled_compat.compat",
     "tf_sampled_compat.contrib", "tf_sampled_compat.keras", "tf_sampled_compat.tf_keras"],
    ["tf_sampled_compat.heads"],
    ["tf_sampled_compat.lazy.binding"],
    ["tf_sampled_compat.lazy.keras2", "tf_sampled_compat.lazy.keras3"],
    ["tf_sampled_compat.lazy.accumulation", "tf_sampled_compat.lazy.optimizer"],
    ["tf_sampled_compat.lazy"],
    ["tf_sampled_compat.audit"],
    ["tf_sampled_compat.core.losses", "tf_sampled_compat.core.full",
     "tf_sampled_compat.core.checkpoints"],
    ["tf_sampled_compat.core.layouts", "tf_sampled_compat.core.class_blocks"],
    ["tf_sampled_compat.core.default_samplers"],
    ["tf_sampled_compat.core.stateless", "tf_sampled_compat.core.seeds"],
    ["tf_sampled_compat.core.native_draws", "tf_sampled_compat.core.sampling"],
    ["tf_sampled_compat.core.implementation"],
    ["tf_sampled_compat.core.fused"],
    ["tf_sampled_compat.core.gradients"],
    ["tf_sampled_compat.core.composite", "tf_sampled_compat.core.tapas",
     "tf_sampled_compat.core.library"],
    ["tf_sampled_compat.core.problem"],
    ["tf_sampled_compat.core.mixture"],
    ["tf_sampled_compat.core.corrections", "tf_sampled_compat.core.learned"],
    ["tf_sampled_compat.core.distinct", "tf_sampled_compat.core.streaming"],
    ["tf_sampled_compat.core.sum_tree"],
    ["tf_sampled_compat.core.plan", "tf_sampled_compat.core.samplers",
     "tf_sampled_compat.core.lookup", "tf_sampled_compat.core.expected_counts"],
    ["tf_sampled_compat.core.tables", "tf_sampled_compat.core.unigrams",
     "tf_sampled_compat.core.draws", "tf_sampled_compat.core.weights"],
    ["tf_sampled_compat.core.inversion"],
    ["tf_sampled_compat.core.stream"],
    ["tf_sampled_compat.core.checks"],
    ["tf_sampled_compat.core.errors"],
    ["tf_sampled_compat.core.internals"],
    ["tf_sampled_compat.core", "tf_sampled_compat.core.shapes", "tf_sampled_compat.core.typing",
     "tf_sampled_compat.version"],
]  # fmt: skip


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module):
    """The layer of a module: that of the longest name in the table that it is or belongs to."""
    found = [
        (len(name), depth)
        for depth, names in enumerate(LAYERS)
        for name in names
        if module == name or module.startswith(name + ".")
    ]
    return max(found)[1]


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


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_downwards(path):
    mine = name_of(path)
    for other in imports(path):
        if other.split(".")[0] != "tf_sampled_compat" or other == "tf_sampled_compat":
            continue
        inside = other.startswith(mine + ".") or other.rpartition(".")[0] == mine.rpartition(".")[0]
        same_layer = layer_of(other) == layer_of(mine) and inside
        assert layer_of(other) > layer_of(mine) or same_layer, f"{mine} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_internals_reaches_below_tensorflows_public_names(path):
    if path.name == "internals.py":
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
    """A file of more than 350 lines has more than one; the signatures of `nn` are one."""
    folders = ("tf_sampled_compat", "tests", "golden", "custom_ops")
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
        signature = inspect.signature(
            function.__init__ if inspect.isclass(function) else function
        )
        assert signature.return_annotation is not signature.empty
        for parameter in list(signature.parameters.values())[inspect.isclass(function) :]:
            assert parameter.annotation is not parameter.empty, (name, parameter)
