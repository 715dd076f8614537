"""Beside TensorFlow's own `tf_upgrade_v2`, before it and after it."""

import io

import pytest
from tensorflow.tools.compatibility import ast_edits, tf_upgrade_v2, tf_upgrade_v2_safety

from tests.migrate.cases_table import cases
from tf_sampled_compat.migrate import files

PROGRAM = """\
'''Word vectors, as of 2016.'''
from __future__ import print_function
import tensorflow as tf
from tensorflow.contrib import nn as contrib_nn

with tf.variable_scope("v", reuse=tf.AUTO_REUSE):
    w = tf.get_variable("w", [50, 8], initializer=tf.random_uniform_initializer(-1.0, 1.0))
    b = tf.get_variable("b", [50])
sampled = tf.nn.log_uniform_candidate_sampler(tf.to_int64(y), 1, 5, True, 50)
loss = tf.reduce_mean(tf.nn.nce_loss(w, b, y, x, 5, 50, sampled_values=sampled), keep_dims=True)
loss += tf.nn.sampled_softmax_loss(weights=w, biases=b, labels=y, inputs=x, num_sampled=5,
                                   num_classes=50, partition_strategy="div")  # as evaluation does
loss += contrib_nn.sampled_sparse_softmax_loss(w, b, y, x, 5, 50)
train = tf.train.AdagradOptimizer(0.1).minimize(loss)
"""
UPGRADES = {
    "default": tf_upgrade_v2.TFAPIChangeSpec,
    "safety": tf_upgrade_v2_safety.TFAPIChangeSpec,
}
SOURCES = [case for case in cases("forms", "imports", "eras", "runs") if case.era != "2.x"]


def upgrade(code, mode):
    upgrader = ast_edits.ASTCodeUpgrader(UPGRADES[mode]())
    out = io.StringIO()
    upgrader.process_opened_file("a.py", io.StringIO(code), "a.py", out)
    return out.getvalue()


def migrate(code, era):
    return files.migrate(code.encode(), era, is_notebook=False).after.decode()


@pytest.mark.parametrize("mode", UPGRADES)
@pytest.mark.parametrize("era", ["0.x", "1.x"])
def test_before_or_after_tf_upgrade_v2(mode, era):
    first, second = upgrade(migrate(PROGRAM, era), mode), migrate(upgrade(PROGRAM, mode), era)
    assert first == second != PROGRAM
    namespace = {"0.x": "compat.v0.nn", "1.x": "compat.v1.nn"}[era]
    assert f"tsc.{namespace}.nce_loss" in first and "tsc.contrib.nn" in first
    assert ("tf.compat.v1.get_variable" if mode == "default" else "compat.v1 as tf") in first


@pytest.mark.parametrize("mode", UPGRADES)
@pytest.mark.parametrize("case", SOURCES, ids=[case.name for case in SOURCES])
def test_the_cases_too(case, mode):
    if mode == "safety" and "\nimport tensorflow.contrib.nn\n" in f"\n{case.before}":
        pytest.skip("it sees no import of tensorflow there, which it would rename")
    after_upgrade = migrate(upgrade(case.before, mode), case.era)
    assert upgrade(migrate(case.before, case.era), mode) == after_upgrade
