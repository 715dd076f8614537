"""migrate's tables agree with the package."""

import importlib
import inspect

import pytest

from tf_sampled_compat.contrib import nn as contrib_nn
from tf_sampled_compat.migrate.finding.reading import mentions
from tf_sampled_compat.migrate.rewriting import files
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


@pytest.mark.parametrize(
    "code, words, others",
    [
        ('"tensorflow.nn.nce_loss"', "install()", "compute_sampled_logits"),
        ('getattr(tf.nn, "nce_loss")', "install()", "compute_sampled_logits"),
        ('"tensorflow.python.ops.nn_impl.nce_loss"', "by hand", "install()"),
        ('getattr(tf.python.ops.nn, "nce_loss")', "by hand", "install()"),
        ('"tf.nn._compute_sampled_logits"', "v1.nn.compute_sampled_logits", "install()"),
        ("tf.nn._compute_sampled_logits()", "labels before inputs", "--from 1.x"),
        ("tf.python.ops.nn_impl._compute_sampled_logits()", "--from 1.x", "install()"),
        ("tf.contrib.nn.sampled_sparse_softmax_loss(w, b, inputs, labels)", "swap", "--from"),
        ("tf.nn.nce_loss(w, b, labels, inputs)", "--from 1.x", "--from 0.x"),
    ],
)
def test_ways_out_that_lead_somewhere(code, words, others):
    outcome = files.migrate(f"import tensorflow as tf\n{code}\n".encode(), "0.x", is_notebook=False)
    ways_out = [line.note.way_out for line in outcome.report if line.note.way_out]
    assert len(ways_out) == 1 and words in ways_out[0] and others not in ways_out[0]


@pytest.mark.parametrize("name", sorted(which_namespace.IN_NN | {"compute_sampled_logits"}))
def test_files_with_these_names_are_parsed(name):
    assert mentions(f"a = nn.{name}(w, b)".encode())
    assert not mentions(f"a = my{name}x(w, b)".encode())
