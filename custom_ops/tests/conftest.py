"""Loads the ops without the package: `python -m pytest custom_ops/tests`."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import op_loader


@pytest.fixture(scope="module")
def library():
    return op_loader.load()


@pytest.fixture
def ops(library):
    library[1](2)
    return library[0]
