"""migrate's tables agree with the package."""

import importlib
import inspect

import pytest

from tf_sampled_compat.contrib import nn as contrib_nn
from tf_sampled_compat.migrate.rules import signatures, which_namespace

LOSSES = [(namespace, name) for namespace, held in signatures.SIGNATURES.items() for name in held]


@pytest.mark.parametrize("namespace, name", LOSSES)
def test_signatures_are_the_packages(namespace, name):
    module = importlib.import_module(f"{signatures.PACKAGE}.{namespace}")
    found = inspect.signature(getattr(module, name)).parameters
    positional = [p for p in found.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    known = signatures.SIGNATURES[namespace][name]
    assert known.parameters == tuple(p.name for p in positional)
    default = found["partition_strategy"].default
    assert known.strategy == (None if default is inspect.Parameter.empty else default)


def test_all_of_contrib_nn_moves():
    for name in contrib_nn.__all__:
        target = which_namespace.target(f"tensorflow.contrib.nn.{name}", "1.x")
        assert target == ("contrib.nn", name)
    assert which_namespace.OTHER_CONTRIB == set(contrib_nn.__all__) - signatures.FUNCTIONS
    assert which_namespace.target("tensorflow.contrib.nn.other", "1.x") is None
