"""Every public function and class has an example in its docstring, and every example runs."""

import doctest
import importlib
import importlib.util
import pkgutil
import types

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.docs.namespaces import NAMESPACES

MODULES = [
    module.name
    for module in pkgutil.walk_packages(tsc.__path__, "tf_sampled_compat.")
    if not module.name.endswith("__main__")
]
HAS_TF_KERAS = importlib.util.find_spec("tf_keras") is not None
if not HAS_TF_KERAS:
    MODULES = [module for module in MODULES if "tf_keras" not in module]


def names():
    """Returns the names that the examples use without defining them."""
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


def shown(namespace):
    """Returns the public functions and classes of a namespace, by name."""
    module = importlib.import_module(namespace)
    return {
        name: value
        for name in module.__all__
        if not isinstance(value := getattr(module, name), (types.ModuleType, str))
    }


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_everything_public_has_an_example(namespace):
    if "tf_keras" in namespace and not HAS_TF_KERAS:
        pytest.skip("tf_keras is not installed")
    examples = shown(namespace)
    assert examples
    for name, value in examples.items():
        assert ">>> " in value.__doc__, name
