"""Every example runs: those in docstrings, and each block of Python in README.md."""

import doctest
import importlib
import importlib.util
import pathlib
import pkgutil
import re

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
MODULES = [
    module.name
    for module in pkgutil.walk_packages(tsc.__path__, "tf_sampled_compat.")
    if not module.name.endswith("__main__")
]
PUBLIC = [
    tsc.nn,
    tsc.random,
    tsc.compat.v1.nn,
    tsc.compat.v1.train,
    tsc.compat.v0.nn,
    tsc.contrib.nn,
    tsc.keras.layers,
    tsc.keras.losses,
    tsc.keras.metrics,
    tsc.keras.optimizers,
]
HAS_TF_KERAS = importlib.util.find_spec("tf_keras") is not None
if not HAS_TF_KERAS:
    MODULES = [module for module in MODULES if "tf_keras" not in module]


def names():
    """What the examples take for granted."""
    return {
        "tf": tf, "np": np, "tsc": tsc, "weights": tf.zeros([50, 8]), "biases": tf.zeros([50]),
        "labels": tf.constant([[3], [7]]), "inputs": tf.ones([2, 8]), "keras": tf.keras,
        "tf_keras": importlib.import_module("tf_keras") if HAS_TF_KERAS else None,
    }  # fmt: skip


@pytest.mark.parametrize("module", ["tf_sampled_compat", *MODULES])
def test_docstrings(module):
    tests = doctest.DocTestFinder(exclude_empty=True).find(
        importlib.import_module(module), extraglobs=names()
    )
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test)
    assert runner.failures == 0


@pytest.mark.parametrize("namespace", PUBLIC, ids=lambda n: n.__name__)
def test_everything_public_has_an_example(namespace):
    for name in namespace.__all__:
        assert ">>> " in getattr(namespace, name).__doc__, name


def readme_blocks():
    text = README.read_text() if README.exists() else ""
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)


@pytest.mark.parametrize("block", readme_blocks(), ids=range(len(readme_blocks())))
def test_readme(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
