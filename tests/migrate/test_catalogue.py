"""What migrate knows of this package by heart is what the package has."""

import importlib
import inspect

import pytest

from tf_sampled_compat.contrib import nn as contrib_nn
from tf_sampled_compat.migrate import catalogue

LOSSES = [(namespace, name) for namespace, held in catalogue.SIGNATURES.items() for name in held]


@pytest.mark.parametrize("namespace, name", LOSSES)
def test_signatures_are_the_packages(namespace, name):
    module = importlib.import_module(f"{catalogue.PACKAGE}.{namespace}")
    found = inspect.signature(getattr(module, name)).parameters
    positional = [p for p in found.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    known = catalogue.SIGNATURES[namespace][name]
    assert known.parameters == tuple(p.name for p in positional)
    default = found["partition_strategy"].default
    assert known.strategy == (None if default is inspect.Parameter.empty else default)


def test_all_of_contrib_nn_moves():
    for name in contrib_nn.__all__:
        target = catalogue.target(f"tensorflow.contrib.nn.{name}", "1.x")
        assert target == ("contrib.nn", name)
    assert catalogue.OTHER_CONTRIB == set(contrib_nn.__all__) - catalogue.FUNCTIONS
    assert catalogue.target("tensorflow.contrib.nn.other", "1.x") is None
