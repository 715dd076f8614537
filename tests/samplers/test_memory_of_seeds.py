"""Eager calls with a new seed each leave no memory behind.

TensorFlow keeps a kernel for each value of an op's attributes, 40 KB each, and a tensor for each
Python number that it ever converted, 800 bytes each. Its samplers have the seed as an attribute.
"""

import json
import subprocess
import sys

import pytest

from tf_sampled_compat.core.backends import library

IMPLEMENTATIONS = ["fused", "composite"] if library.missing() is None else ["composite"]
# In a process of its own: memory that something else has freed would hide the growth.
MEASURE = """
import json, pathlib, resource, sys
import tensorflow as tf
import tf_sampled_compat as tsc

labels = tf.constant([[3], [7]], tf.int64)
sizes = (labels, 1, 20, True, 1000)
weights, biases, inputs = tf.ones([1000, 4]), tf.zeros([1000]), tf.ones([2, 4])
counts, unigrams = tf.ones([1000], tf.int64), [1.0] * 1000
learned = tsc.random.LearnedUnigramSampler(1000, seed=1)
random, step = tsc.random, tf.constant(3, tf.int64)

def loss(seed):
    values = random.stateless_uniform_candidate_sampler(*sizes, [seed, 1])
    tsc.nn.sampled_softmax_loss(weights, biases, labels, inputs, 20, 1000, sampled_values=values)

def resident():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()

def growth(call, times):
    for seed in range(30):
        call(seed)
    before = resident()
    for seed in range(30, 30 + times):
        call(seed)
    return (resident() - before) / times

# With a global seed, TensorFlow's functions make a new one at each call.
tf.random.set_seed(1)
with tsc.implementation(sys.argv[1]):
    bytes_a_call = {name: growth(call, times) for name, times, call in (
        ("numbers", 3000, lambda i: learned._seed_of_step(i, step)),
        ("sampler", 100, lambda i: learned(*sizes, seed=i)),
        ("uniform", 100, lambda i: random.stateless_uniform_candidate_sampler(*sizes, [i, 1])),
        ("log", 100, lambda i: random.stateless_log_uniform_candidate_sampler(*sizes, [i, 1])),
        ("counts", 100, lambda i: random.stateless_learned_unigram_candidate_sampler(
            *sizes, [i, 1], counts)),
        ("fixed", 100, lambda i: random.stateless_fixed_unigram_candidate_sampler(
            *sizes, [i, 1], unigrams=unigrams)),
        ("hits", 100, lambda i: tsc.nn.compute_accidental_hits(labels, [7, 1, 3], 1, seed=i)),
        ("loss", 100, loss),
        ("TensorFlow", 100, lambda i: tf.random.log_uniform_candidate_sampler(*sizes, seed=i)),
    )}
print(json.dumps(bytes_a_call))
"""


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_memory_is_flat(implementation):
    command = [sys.executable, "-c", MEASURE, implementation]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr[-2000:]
    grown = json.loads(process.stdout.splitlines()[-1])
    assert grown.pop("TensorFlow") > 20_000, "TensorFlow was mended: docs/samplers.md can say so"
    assert grown.pop("numbers") < 300
    assert max(grown.values()) < 8_000, grown
