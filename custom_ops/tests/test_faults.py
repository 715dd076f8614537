"""Graphs that no release of the package makes, and a lack of memory: an error, never a crash.

Each call that could end the process runs in a process of its own.
"""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

HERE = __file__.rpartition("/")[0]
SET_UP = """
import resource, sys, threading
sys.path[:0] = [{here!r}, {here!r} + "/.."]
import numpy as np
import tensorflow as tf
import op_loader
from ops_problem import Problem
ops, set_threads = op_loader.load()
set_threads(2)

def memory_left(bytes):
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + bytes,) * 2)
"""


def in_a_process(code):
    """Runs the code and returns what it printed. Fails if the process was killed or hung."""
    process = subprocess.run(
        [sys.executable, "-c", SET_UP.format(here=HERE) + code],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return process.stdout


@pytest.mark.parametrize("log2_range", [0, 2**62 - 1, 53 << 56])
def test_the_logarithm_of_the_range_must_be_its_logarithm(ops, log2_range):
    with pytest.raises(tf.errors.InvalidArgumentError, match="log2_range must be log2"):
        ops.sampled_compat_stateless_draws(
            seed=[1, 2], law="log_uniform", num_sampled=3, unique=True, range_max=1000,
            log2_range=log2_range,
        )  # fmt: skip


def test_a_dimension_too_large_for_memory_in_a_tensor_without_elements():
    code = """
def tensor(*shape):
    return tf.zeros(shape)

for size in (2**55, 2**62):
    for call in (
        lambda: ops.sampled_compat_tapas_scores(
            inputs=tensor(size, 0), rows=tensor(3, 0), biases=tensor(3), temperature=1.0),
        lambda: ops.sampled_compat_full_reduce(
            inputs=tensor(size, 0), weights=tensor(3, 0), biases=tensor(3),
            labels=tf.zeros([size, 0], tf.int64), kind="softmax")[0],
        lambda: ops.sampled_compat_full_top_k(
            inputs=tensor(size, 0), weights=tensor(3, 0), biases=tensor(3), k=0, bar=tensor(1)),
        lambda: ops.sampled_compat_full_reduce(
            inputs=tensor(0, size), weights=tensor(0, size), biases=tensor(0),
            labels=tf.zeros([0, 1], tf.int64), kind="softmax")[0],
    ):
        try:
            print("value", call().shape)
        except tf.errors.OpError as error:
            print(type(error).__name__)
"""
    outcomes = in_a_process(code).splitlines()
    refused = {"ResourceExhaustedError", "InvalidArgumentError"}
    assert len(outcomes) == 8 and set(outcomes) <= {*refused, "value (0,)"}


@pytest.mark.parametrize(
    "arguments, call",
    [
        (
            "np.arange(2), np.arange(2**23), np.arange(0), np.int64(0)",
            "ops.sampled_compat_draws_piece(seed=a[0], kept=a[1], cumulative=a[2], num_tries=a[3],"
            " law='uniform', num_sampled=2**24, unique=True, range_max=2**40, log2_range=0)",
        ),
        ("np.arange(2**23).reshape(-1, 1), np.arange(1)", "ops.sampled_compat_plan(*a)"),
        (
            "np.ones([2**14, 2**12], 'f'), np.ones([3, 2**12], 'f'), np.ones([3], 'f'),"
            " np.zeros([2**14, 1], 'i8')",
            "ops.sampled_compat_full_reduce(*a, kind='softmax')",
        ),
    ],
    ids=["draws", "plan", "full_reduce"],
)
def test_without_memory_it_is_an_error(arguments, call):
    out = in_a_process(f"""
a = [tf.constant(argument) for argument in ({arguments},)]
ids = lambda: ops.sampled_compat_class_ids(ids=[1], argument="labels", weights_rows=2)
ids()  # TensorFlow starts its threads, which it cannot do without memory.
memory_left(200 << 20)
try:
    {call}
except tf.errors.ResourceExhaustedError as error:
    print(error.message)
print(ids().numpy())
""")
    assert "not enough memory" in out and out.split()[-1] == "[1]"


def test_positions_that_change_while_the_op_reads_them():
    """A reference variable of TensorFlow 1 is read in place, while another thread writes it."""
    out = in_a_process("""
problem = Problem(batch=2000, num_sampled=64, dim=4)
arguments = [np.asarray(a) for a in problem.arguments(ops, problem.plan(ops))]
tf.compat.v1.disable_v2_behavior()
with tf.Graph().as_default():
    values = [tf.constant(a) for a in arguments]
    good = arguments[4]
    positions = tf.compat.v1.Variable(good, use_resource=False)
    bad = tf.compat.v1.assign(positions, np.full_like(good, 2**30))
    mend = tf.compat.v1.assign(positions, good)
    values[4] = positions._ref()
    loss = ops.sampled_compat_sampled_loss(*values, kind="softmax")
    gradients = ops.sampled_compat_sampled_loss_grad(
        *values, loss.normalizer, loss.kept, loss.loss, kind="softmax")
    with tf.compat.v1.Session() as session:
        session.run(positions.initializer)
        stop = threading.Event()
        def write():
            while not stop.is_set():
                session.run(bad)
                session.run(mend)
        writer = threading.Thread(target=write)
        writer.start()
        seen = set()
        for _ in range(400):
            try:
                session.run(gradients)
                seen.add("value")
            except tf.errors.InvalidArgumentError as error:
                seen.add("refused")
        stop.set()
        writer.join()
print(sorted(seen))
""")
    assert "refused" in out or "value" in out


def test_arguments_out_of_range_are_named(ops):
    options = {"seed": [1, 2], "law": "uniform", "log2_range": 0}
    for numbers, words in (
        ({"num_sampled": 5, "range_max": 4, "unique": True}, "num_sampled must be at most"),
        ({"num_sampled": 1, "range_max": 2**53 + 1, "unique": False}, "range_max must be at most"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            ops.sampled_compat_stateless_draws(**options, **numbers)


def test_draws_reach_both_ends_of_the_range(ops):
    range_max = 1000
    log2_range = int(np.floor(np.log2(range_max + 1) * 2.0**56))
    drawn = ops.sampled_compat_stateless_draws(
        seed=[1, 2], law="log_uniform", num_sampled=20000, unique=False, range_max=range_max,
        log2_range=log2_range,
    ).classes.numpy()  # fmt: skip
    assert drawn.min() == 0 and range_max - 5 <= drawn.max() < range_max
