"""Seeds of replicas: the same for all, as in TensorFlow, or on request one for each."""

import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

ROOT = pathlib.Path(__file__).resolve().parents[2]

TWO_REPLICAS = """
import numpy as np, tensorflow as tf, tf_sampled_compat as tsc
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
per_replica = tsc.random.per_replica_seed
SIZES = ([[3]], 1, 20, True, 1000)
weights, biases, x = np.random.rand(50, 8).astype("f"), np.zeros(50, "f"), np.ones([4, 8], "f")

def stateless(seed):
    return tsc.random.stateless_log_uniform_candidate_sampler(*SIZES, seed).sampled_candidates

def stateful(seed):
    return tsc.random.log_uniform_candidate_sampler(*SIZES, seed=seed).sampled_candidates

def loss(seed):
    labels = np.zeros([4, 1], "l")
    return tsc.nn.sampled_softmax_loss(weights, biases, labels, x, 10, 50, seed=seed)

def in_replicas(draw, seed, mode):
    if mode == "eager":
        both = strategy.run(lambda: draw(seed()))
    elif mode == "graph":
        both = tf.function(lambda: strategy.run(lambda: draw(seed())))()
    else:  # compiled in each replica, the seed a number of the graph
        both = strategy.run(tf.function(lambda: draw(seed()), jit_compile=True))
    return [value.numpy().tolist() for value in strategy.experimental_local_results(both)]

for mode in ("eager", "graph", "xla"):
    for draw, seed in ((stateless, [5, 6]), (stateful, 7), (loss, 7)):
        if mode == "xla" and draw is not stateless:
            continue  # TensorFlow compiles no variable of the second CPU, and ours counts in one
        same = in_replicas(draw, lambda: seed, mode)
        assert same[0] == same[1], (mode, draw, "TensorFlow's: all draw the same")
        own = in_replicas(draw, lambda: per_replica(seed), mode)
        assert own[0] != own[1], (mode, draw, "each draws its own")
        if mode == "eager" and draw is not stateless:
            continue  # TensorFlow's kernel goes on from the call before
        assert own[0] == same[0], (mode, draw, "the first one draws as without replicas")
        assert in_replicas(draw, lambda: per_replica(seed), mode) == own, (mode, draw, "again")

# Not a seed that somebody takes who counts on: 7, 8, ...
seeds = strategy.run(lambda: tf.constant(per_replica(7)))
first, second = (int(seed) for seed in strategy.experimental_local_results(seeds))
assert first == 7 and not 0 <= second <= 1000 and second < 2**31
with strategy.scope():  # across replicas there is none
    assert per_replica(7) == 7
print("done")
"""


def test_two_replicas_in_a_process_of_their_own(tmp_path):
    script = tmp_path / "replicas.py"  # AutoGraph needs a source file.
    script.write_text(TWO_REPLICAS)
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr[-3000:]


@pytest.mark.parametrize("seed", [None, 0, 7, 2**40])
def test_without_replicas_an_operation_seed_is_itself(seed):
    assert tsc.random.per_replica_seed(seed) == seed


@pytest.mark.parametrize("seed", [[1, -2], tf.constant([3, 2**60], tf.int64)])
def test_without_replicas_a_stateless_seed_is_itself(seed):
    got = tsc.random.per_replica_seed(seed)
    assert got.dtype == tf.int64 and got.numpy().tolist() == list(map(int, seed))


def test_a_replica_that_only_the_graph_knows(monkeypatch):
    """As on a TPU: it works for a pair of integers, and is refused for an operation seed."""

    class Context:
        def __init__(self, replica):
            self.replica_id_in_sync_group = replica

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def own(replica):
        monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: Context(replica))
        with pytest.raises(tf.errors.InvalidArgumentError, match="seed: expected two integers"):
            tsc.random.per_replica_seed(7)
        seed = tsc.random.per_replica_seed([1, 2])
        monkeypatch.undo()
        return seed

    seeds = [own(replica).numpy().tolist() for replica in range(50)]
    assert seeds[0] == [1, 2] and len(set(map(tuple, seeds))) == 50


@pytest.mark.parametrize("seed", [[1, 2, 3], [0.5, 1.0]])
def test_a_bad_seed_is_named(seed):
    with pytest.raises(tf.errors.InvalidArgumentError, match="seed: expected two integers"):
        tsc.random.per_replica_seed(seed)
