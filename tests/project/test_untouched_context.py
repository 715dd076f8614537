"""To build a graph leaves TensorFlow's devices as they are: a program may configure them later."""

import subprocess
import sys

PROGRAM = """
import tensorflow as tf
import tf_sampled_compat as tsc

v1 = tf.compat.v1
with tf.Graph().as_default():
    weights, biases = v1.get_variable("w", [50, 8]), v1.get_variable("b", [50])
    labels, inputs = v1.placeholder(tf.int64, [None, 1]), v1.placeholder(tf.float32, [None, 8])
    arguments = weights, biases, labels, inputs
    losses = [
        tsc.compat.v1.nn.nce_loss(*arguments, 5, 50),
        tsc.compat.v1.nn.sampled_softmax_loss(*arguments, 5, 50),
        tsc.contrib.nn.sampled_sparse_softmax_loss(*arguments, 5, 50),
        tsc.nn.rank_sampled_softmax_loss(*arguments, 8, 5, 50),
    ]
    v1.train.AdagradOptimizer(0.1).minimize(tf.add_n([tf.reduce_mean(loss) for loss in losses]))
    tsc.random.stateless_log_uniform_candidate_sampler([[1]], 1, 5, True, 50, [1, 2])
tf.config.threading.set_intra_op_parallelism_threads(1)
[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
assert len(tf.config.list_logical_devices("CPU")) == 2
"""


def test_devices_can_be_configured_after_a_graph_was_built():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr[-2000:]
