"""`install()` puts its names in place and leaves no trace. Each test has its own process."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PREAMBLE = """
import importlib, inspect, sys, threading, types
import tensorflow as tf, tf_sampled_compat as tsc
NAMES = ["sampled_softmax_loss", "nce_loss"]

def public_modules():
    return {name: module for name, module in list(sys.modules.items())
            if isinstance(module, types.ModuleType)
            and name.split(".")[0] in ("tensorflow", "keras")
            and not name.startswith(("tensorflow.python", "tensorflow.core"))}

def snapshot():
    "What every public module of TensorFlow holds, and how import finds modules."
    state = {}
    for name, module in public_modules().items():
        held = {k: id(v) for k, v in list(vars(module).items()) if not k.startswith("_fastdict")}
        state[name] = id(module), held, list(vars(module).get("__all__") or []), sorted(dir(module))
    return state, list(sys.meta_path), list(sys.path_hooks)
"""

CHECKS = {
    "leaves_no_trace": """
before = snapshot()
stock = {name: getattr(tf.nn, name) for name in NAMES}
for use in (tsc.install, tsc.install, tsc.installed("0.x").__enter__, lambda: tsc.install("1.x")):
    use()
    assert snapshot() != before and hasattr(tf, "contrib")
    assert all(getattr(tf.nn, name) is not stock[name] for name in NAMES)
tsc.uninstall()
assert snapshot() == before
tsc.uninstall()
assert snapshot() == before
""",
    "changes_nothing_else": """
before = snapshot()[0]
tsc.install()
after = snapshot()[0]
losses = {*NAMES, "sampled_sparse_softmax_loss", "rank_sampled_softmax_loss"}
changed = {name for name in before if before[name] != after[name]}
for name in changed:
    held, new = before[name][1], after[name][1]
    different = {k for k in new if held.get(k) != new[k]} | set(held) - set(new)
    allowed = losses if name.endswith(".nn") else {"contrib"}
    assert different and different <= allowed, (name, different)
assert {"tensorflow", "tensorflow._api.v2.nn"} <= changed
assert not [name for name in changed if name.startswith("keras")]
from tensorflow.python.ops import nn_impl
assert nn_impl.nce_loss.__module__ == nn_impl.__name__
""",
    "what_goes_where": """
from tensorflow import nn as early
import tensorflow.compat.v2 as tf2
tsc.install()
import tensorflow.compat.v1 as tf1
for name in NAMES:
    two, one, zero = (getattr(m, name) for m in (tsc.nn, tsc.compat.v1.nn, tsc.compat.v0.nn))
    ones = [tf.compat.v1.nn, tf1.nn, tf1.compat.v1.nn, tf.compat.v2.compat.v1.nn]
    assert getattr(early, name) is getattr(tf.nn, name) is getattr(tf2.nn, name) is two
    assert getattr(tf.compat.v2.nn, name) is getattr(tf1.compat.v2.nn, name) is two
    assert all(getattr(module, name) is one for module in ones)
    tsc.install("1.x")
    assert getattr(tf.nn, name) is one and getattr(tf2.nn, name) is two
    tsc.install("0.x")
    assert getattr(early, name) is zero and getattr(tf2.nn, name) is two
    assert all(getattr(module, name) is zero for module in ones)
    tsc.install()
for name in ("sampled_sparse_softmax_loss", "rank_sampled_softmax_loss"):
    assert getattr(tf.nn, name) is getattr(tf2.nn, name) is getattr(tsc.nn, name)
    assert getattr(tf1.nn, name) is getattr(tsc.contrib.nn, name)
import tensorflow.nn, tensorflow.compat.v1.nn
from tensorflow.nn import nce_loss
from tensorflow.compat.v1.nn import nce_loss as nce_loss_v1
assert nce_loss is tsc.nn.nce_loss and nce_loss_v1 is tsc.compat.v1.nn.nce_loss
""",
    "contrib": """
old = tf.compat.v1
tsc.install()
import tensorflow.compat.v1 as tf1
import tensorflow.contrib.nn
import tensorflow.contrib.nn as direct
import tensorflow.compat.v1.contrib.nn as below
from tensorflow.contrib import nn as contrib_nn
from tensorflow.contrib.nn import rank_sampled_softmax_loss
from tensorflow.compat.v1 import contrib
assert contrib is tf.contrib is tf1.contrib is old.contrib is tf1.compat.v1.contrib
assert direct is below is contrib_nn is contrib.nn is tensorflow.contrib.nn
assert rank_sampled_softmax_loss is tsc.contrib.nn.rank_sampled_softmax_loss
names = {name for name in dir(direct) if not name.startswith("_")}
assert names == set(tsc.contrib.nn.__all__) and len(names) == 9  # those of TF 1.15
star = {}
exec("from tensorflow.contrib.nn import *", star)
assert names <= set(star)
""",
    "contrib_opt": """
tsc.install()
import tensorflow.contrib.opt
import tensorflow.compat.v1.contrib.opt as below
from tensorflow.contrib.opt import LazyAdamOptimizer
from tensorflow.contrib import opt
assert opt is below is tf.contrib.opt is tf.compat.v1.contrib.opt is tensorflow.contrib.opt
assert LazyAdamOptimizer is opt.LazyAdamOptimizer is tsc.compat.v1.train.LazyAdamOptimizer
tsc.uninstall()
assert not any(name.startswith("tensorflow.contrib") for name in sys.modules)
""",
    "swapped_arguments_name_the_era": """
tsc.install()
table, biases, inputs, labels = tf.zeros([50, 8]), tf.zeros([50]), tf.ones([2, 8]), [[3], [7]]
for nn in (tf.nn, tf.compat.v1.nn):
    for name in NAMES:
        try:
            getattr(nn, name)(table, biases, inputs, labels, 5, 50)
        except ValueError as error:
            assert "tf_sampled_compat.install('0.x')" in str(error), error
        else:
            raise AssertionError(name)
""",
    "contrib_it_has_not": """
tsc.install()
import tensorflow.compat.v1 as tf1
CASES = [
    ("import tensorflow.contrib.slim", ImportError, "tf_slim"),
    ("import tensorflow.contrib.slim.nets as nets", ImportError, "tf_slim"),
    ("from tensorflow.contrib import slim", ImportError, "tf_slim"),
    ("from tensorflow.contrib.learn import Estimator", ImportError, "tf.estimator"),
    ("from tensorflow.contrib.nn import dropout", ImportError, "it has alpha_dropout"),
    ("from tensorflow.contrib.nn.python.ops import x", ImportError, "it has alpha_dropout"),
    ("tf.contrib.slim.fully_connected", AttributeError, "tf_slim"),
    ("tf1.contrib.seq2seq", AttributeError, "does not import on TensorFlow 2.21"),
    ("tf.contrib.rnn", AttributeError, "TF_USE_LEGACY_KERAS=1"),
    ("tf.contrib.layers", AttributeError, "TF_USE_LEGACY_KERAS=1"),
    ("tf.contrib.training", AttributeError, "HParams is not in TensorFlow 2"),
    ("tf.contrib.opt.AdaMaxOptimizer", AttributeError, "LazyAdamOptimizer of opt"),
    ("from tensorflow.contrib.opt import AGNOptimizer", ImportError, "LazyAdamOptimizer of opt"),
    ("import tensorflow.contrib.opt.python", ImportError, "LazyAdamOptimizer of opt"),
    ("tf1.contrib.whatever", AttributeError, "TensorFlow 1.15"),
    ("tf.contrib.nn.dropout", AttributeError, "it has alpha_dropout"),
]
for code, error, words in CASES:
    try:
        exec(code)
    except error as raised:
        assert words in str(raised), (code, raised)
    else:
        raise AssertionError(code)
assert not hasattr(tf.contrib, "slim") and hasattr(tf.contrib, "nn")
assert not any("slim" in name for name in sys.modules)
""",
    "nesting": """
stock = tf.nn.nce_loss
def now():
    return {stock: "stock", tsc.nn.nce_loss: "2", tsc.compat.v1.nn.nce_loss: "1",
            tsc.compat.v0.nn.nce_loss: "0"}[tf.nn.nce_loss]
seen = [now()]
with tsc.installed():
    seen.append(now())
    with tsc.installed("0.x"):
        seen.append(now())
        tsc.install("1.x")  # to the end of this block
        seen.append(now())
    seen.append(now())
seen.append(now())
tsc.install("1.x")
with tsc.installed():
    seen.append(now())
    tsc.uninstall()
    seen.append(now())
seen.append(now())
assert seen == ["stock", "2", "0", "1", "2", "stock", "2", "stock", "stock"], seen
with tsc.installed():
    tsc.uninstall()
    tsc.install("1.x")  # of no block any more
assert now() == "1"
tsc.uninstall()
try:
    with tsc.installed("0.x"):
        raise KeyError
except KeyError:
    assert now() == "stock"
first, second = tsc.installed(), tsc.installed("1.x")  # as two threads may have them
first.__enter__(); second.__enter__()
first.__exit__(None, None, None)
assert now() == "1"
second.__exit__(None, None, None)
assert now() == "stock"
for bad in ("1", "2.x", 1):
    try:
        tsc.install(bad)
    except ValueError as error:
        assert "era: expected None, '0.x' or '1.x', got" in str(error)
    else:
        raise AssertionError(bad)
assert now() == "stock"
""",
    "reload": """
import pathlib, tempfile
folder = tempfile.mkdtemp()
pathlib.Path(folder, "user_code.py").write_text(
    "import tensorflow.compat.v1 as tf\\n"
    "from tensorflow.contrib.nn import sampled_sparse_softmax_loss\\n"
    "loss = tf.nn.nce_loss\\n")
sys.path.insert(0, folder)
stock, before = tf.nn.nce_loss, snapshot()
tsc.install()
import user_code
assert user_code.loss is tsc.compat.v1.nn.nce_loss
for name in ["tf_sampled_compat.legacy.contrib", "tf_sampled_compat.legacy.places",
             "tf_sampled_compat.legacy.install", "tf_sampled_compat.nn.sampled",
             "tf_sampled_compat.nn", "tf_sampled_compat.legacy", "tf_sampled_compat"]:
    importlib.reload(sys.modules[name])
tsc.install()
assert tf.nn.nce_loss is tsc.nn.nce_loss
import tensorflow.contrib.nn as contrib_nn
assert importlib.reload(contrib_nn) is contrib_nn is tf.contrib.nn
assert importlib.reload(sys.modules["tensorflow.contrib"]) is tf.contrib
importlib.reload(tf.nn)
tsc.install()  # brings ours back where TensorFlow's own were loaded anew
assert tf.nn.nce_loss is tsc.nn.nce_loss
importlib.reload(sys.modules["tf_sampled_compat.contrib.nn"])
tsc.install()
importlib.reload(user_code)
assert user_code.sampled_sparse_softmax_loss is tsc.contrib.nn.sampled_sparse_softmax_loss
tsc.uninstall()
try:
    importlib.reload(user_code)
except ImportError:
    pass
else:
    raise AssertionError("tensorflow.contrib is still here")
assert tf.nn.nce_loss.__module__ == stock.__module__
assert snapshot()[1:] == before[1:] and not hasattr(tf, "contrib")
assert not hasattr(tf.nn, "rank_sampled_softmax_loss")
""",
    "somebody_elses_patch_stays": """
tsc.install()
theirs = lambda *args: None
tf.nn.nce_loss = theirs
tsc.uninstall()
assert tf.nn.nce_loss is theirs
assert not hasattr(tf, "contrib")
""",
    "threads": """
before, failures = snapshot(), []
def work(era):
    for _ in range(30):
        with tsc.installed(era):
            if tf.nn.nce_loss.__module__.split(".")[0] != "tf_sampled_compat":
                failures.append(tf.nn.nce_loss)
            import tensorflow.contrib.nn
            tf.contrib.nn.nth_element
def again():
    for _ in range(60):
        tsc.install()
        if tf.nn.sampled_softmax_loss is not tsc.nn.sampled_softmax_loss:
            failures.append(tf.nn.sampled_softmax_loss)
sys.setswitchinterval(1e-5)
workers = [threading.Thread(target=work, args=(era,)) for era in (None, "0.x", "1.x", None)]
for group in (workers, [threading.Thread(target=again) for _ in range(4)]):
    for worker in group: worker.start()
    for worker in group: worker.join()
assert not failures, failures[0]
tsc.uninstall()
assert snapshot() == before
""",
    "loads_the_op_and_blocks_no_setting": """
maps = lambda: open("/proc/self/maps").read()
assert "libsampled_compat" not in maps()
tsc.install()
assert ("libsampled_compat" in maps()) == HAS_OP
tf.config.threading.set_intra_op_parallelism_threads(1)
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.compat.v1.disable_v2_behavior()
assert not tf.executing_eagerly()
""",
    "works": """
import numpy as np
w, b = np.random.rand(50, 4).astype("f"), np.zeros(50, "f")
x, y = np.ones([3, 4], "f"), np.array([[1], [2], [49]])
def loss(weights, **more):
    tf.random.set_seed(1)
    return tf.nn.sampled_softmax_loss(weights, b, y, x, 9, 50, seed=3, **more)
stock = loss(w)
tsc.install()
np.testing.assert_allclose(loss(w), stock, 1e-5)
np.testing.assert_allclose(loss([w[:25], w[25:]], partition_strategy="div"), stock, 1e-5)
tf.nn.nce_loss(w, b, y.tolist(), x, 9, 50)
with tsc.installed("0.x"):
    tf.nn.nce_loss(w, b, x, y, 9, 50)
tsc.uninstall()
try:
    tf.nn.nce_loss(w, b, y.tolist(), x, 9, 50)
except AttributeError:
    pass
else:
    raise AssertionError("TensorFlow's own is not back")
""",
}


def has_op():
    return any((ROOT / "tf_sampled_compat" / "lib").glob("*.so"))


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("name", CHECKS)
def test_in_a_fresh_process(name):
    result = run(PREAMBLE + f"HAS_OP = {has_op()}\n" + CHECKS[name] + "print('done')")
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-3000:]


@pytest.mark.skipif(importlib.util.find_spec("tf_keras") is None, reason="needs tf_keras")
def test_the_ways_out_to_cells_and_layers_need_what_they_say():
    """`tf.compat.v1.nn.rnn_cell` and `tf.compat.v1.layers` need the legacy Keras that is named."""
    code = """
import tensorflow as tf
tf.compat.v1.nn.rnn_cell.BasicLSTMCell, tf.compat.v1.layers.dense
tf.raw_ops.ImageProjectiveTransformV3
print("done")
"""
    result = run(code, TF_USE_LEGACY_KERAS="1")
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-3000:]


def test_without_the_op(tmp_path):
    """`install()` neither fails nor warns; a loss warns at its first use."""
    result = run(
        "import tf_sampled_compat as tsc; tsc.install(); tsc.uninstall(); print('done')",
        TF_SAMPLED_COMPAT_LIBRARY_DIR=str(tmp_path),
    )
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-3000:]
    assert "tf_sampled_compat" not in result.stderr
