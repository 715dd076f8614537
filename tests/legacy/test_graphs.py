"""TF 1 graphs as old programs build them: one test for each check of `graphs.py`."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHECKS = [
    "clipping", "colocation", "contrib_and_full", "control_flow", "default_sampler_and_global_seed",
    "meta_graph", "monitored_session", "optimizers", "partitioners", "saver", "unknown_shapes",
]  # fmt: skip

IMPORT = """
import json, sys
import numpy as np, tensorflow.compat.v1 as tf, tf_sampled_compat as tsc
tf.disable_v2_behavior()
INSTALL
saver = tf.train.import_meta_graph("meta.meta")
from tests.legacy.graphs import batch
graph = tf.get_default_graph()
loss, update = (tf.get_collection(name)[0] for name in ("loss", "update"))
places = [graph.get_tensor_by_name(name + ":0") for name in ("labels", "inputs")]
gradients = tf.gradients(loss, tf.trainable_variables())
with tf.Session() as session:
    saver.restore(session, "meta")
    feeds = [dict(zip(places, batch(n))) for n in (1, 2, 3)]
    losses = [session.run([loss, update], feed)[0] for feed in feeds]
    for gradient in session.run(gradients, feeds[0]):
        assert np.isfinite(getattr(gradient, "values", gradient)).all()
np.testing.assert_allclose(losses, json.load(open("meta.json")), 1e-5)
print("done")
"""


def run(arguments, folder):
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def verdicts(folder):
    result = run(["-m", "tests.legacy.graphs", str(folder)], ROOT)
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", CHECKS)
def test_graph(name, verdicts):
    assert set(verdicts) == set(CHECKS)
    assert verdicts[name] == "ok", verdicts[name]


@pytest.mark.parametrize("way", ["tsc.install()", "tsc.load_ops()"])
def test_meta_graph_goes_on_in_another_process(way, verdicts, folder):
    assert verdicts["meta_graph"] == "ok", verdicts["meta_graph"]
    result = run(["-c", IMPORT.replace("INSTALL", way)], folder)
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-3000:]
