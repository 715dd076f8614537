"""Tests that need a fresh process: ops loaded from files, forks, a quiet exit."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem

TENSORFLOW_SAYS = re.compile(r"[IWE]0000 |WARNING: All log messages before absl::|$")
P = problem(C=200, D=16, B=64, T=2, S=64)


def save_model_and_graph(folder):
    """Writes a SavedModel that trains, and a meta graph, with fused losses; returns the values."""

    class Model(tf.Module):
        def __init__(self):
            self.w, self.b = tf.Variable(P.weights), tf.Variable(P.biases)

        @tf.function(input_signature=[tf.TensorSpec([None, 16])])
        def loss(self, x):
            arguments = {**P.arguments, "implementation": "fused"}
            return tsc.nn.nce_loss(self.w, self.b, P.labels, x, **arguments)

        @tf.function(input_signature=[tf.TensorSpec([None, 16])])
        def train(self, x):
            with tf.GradientTape() as tape:
                value = tf.reduce_sum(self.loss(x))
            for v, g in zip((self.w, self.b), tape.gradient(value, [self.w, self.b])):
                v.scatter_sub(tf.IndexedSlices(0.01 * g.values, g.indices))
            return value

    model = Model()
    tf.saved_model.save(model, os.path.join(folder, "model"))
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [64, 16], name="x")
        w, b = tf.constant(P.weights), tf.constant(P.biases)
        arguments = {**P.arguments, "implementation": "fused"}
        value = tf.identity(tsc.nn.nce_loss(w, b, P.labels, x, **arguments), "value")
        tf.identity(tf.compat.v1.gradients(value, x)[0], "gradient")
        tf.compat.v1.train.export_meta_graph(os.path.join(folder, "graph.meta"))
    x = tf.constant(P.inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = model.loss(x)
    return {"x": x, "value": value, "gradient": tape.gradient(value, x),
            "trained": [model.train(x) for _ in range(3)]}  # fmt: skip


FRESH_PROCESS = """
import sys, numpy as np, tensorflow as tf, tf_sampled_compat as tsc

def maps():
    return open("/proc/self/maps").read()

def load():
    return tf.saved_model.load("model")

def import_graph():
    tf.compat.v1.train.import_meta_graph("graph.meta")

assert "libsampled_compat" not in maps(), "importing has loaded the binary"
for read in (load, import_graph):
    try:
        with tf.Graph().as_default() if read is import_graph else tf.init_scope():
            read()
    except Exception as error:
        assert "SampledCompat>" in str(error), error
    else:
        raise AssertionError("it was read without the ops")

assert tsc.load_ops() is None
assert tsc.load_ops() is None
assert "libsampled_compat" in maps()
want = np.load("want.npz")
close = lambda got, name: np.testing.assert_allclose(got, want[name], 1e-4, 1e-4)
model, x = load(), tf.constant(want["x"])
with tf.GradientTape() as tape:
    tape.watch(x)
    value = model.loss(x)
close(value, "value")
close(tape.gradient(value, x), "gradient")
close([model.train(x) for _ in range(3)], "trained")
with tf.Graph().as_default() as graph:
    import_graph()
    value, x = map(graph.get_tensor_by_name, ("value:0", "x:0"))
    anew = tf.compat.v1.gradients(value, x)[0]
    with tf.compat.v1.Session() as session:
        got = session.run([value, "gradient:0", anew], {x: want["x"]})
for result, name in zip(got, ("value", "gradient", "gradient")):
    close(result, name)
print("done")
"""

FORK = """
import os, signal, numpy as np, tensorflow as tf, tf_sampled_compat as tsc
from tf_sampled_compat.core.backends import library
tsc.load_ops()
r = np.random.RandomState(0)
rows, inputs = r.randn(3000, 64).astype("f"), r.randn(500, 64).astype("f")

def kernel():  # large enough for every thread
    loss, _, _ = library.load().ops.sampled_compat_sampled_loss(
        inputs=inputs, rows=rows, biases=np.zeros(3000, "f"), hits=np.zeros([0, 2], "i"),
        sampled_positions=np.arange(2500, dtype="i"), true_positions=np.full([500, 1], 2999, "i"),
        true_offset=np.zeros([500, 1], "f"), sampled_offset=np.zeros(2500, "f"), kind="softmax")
    return loss.numpy()

def whole():
    loss = tf.function(tsc.nn.sampled_softmax_loss)
    labels = np.zeros([500, 1], "l")
    return loss(rows, np.zeros(3000, "f"), labels, inputs, 2000, 3000, seed=1).numpy()

def in_child(check):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # rather than hang
        os._exit(0 if check() else 1)
    assert os.waitpid(child, 0)[1] == 0, check

# Before TensorFlow has threads, all works in a child; after that, what needs none of them.
in_child(lambda: np.isfinite(whole()).all())
first = kernel()
in_child(lambda: np.array_equal(kernel(), first))
assert np.array_equal(kernel(), first)
print("done")
"""


@pytest.mark.parametrize("script", [FRESH_PROCESS, FORK], ids=["load_ops", "fork"])
def test_in_a_process_of_its_own(script, tmp_path):
    """The script's assertions hold, and the process ends with code 0 and without output."""
    if script is FRESH_PROCESS:
        np.savez(tmp_path / "want.npz", **save_model_and_graph(tmp_path))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    root = os.path.dirname(os.path.dirname(tsc.__file__))
    environment["PYTHONPATH"] = root
    # Since 3.12, Python warns about a fork of a process with threads. TensorFlow always has some.
    quiet = ["-W", "ignore:This process:DeprecationWarning"]
    result = subprocess.run(
        [sys.executable, *quiet, "-c", script], cwd=tmp_path, env=environment, capture_output=True,
        text=True, timeout=200,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-3000:]
    # Messages of TensorFlow's import are not ours.
    mine = [line for line in result.stderr.splitlines() if not TENSORFLOW_SAYS.match(line)]
    assert not mine
