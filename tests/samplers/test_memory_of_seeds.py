"""Eager calls with a new seed each leave no memory behind.

TensorFlow keeps a kernel for each value of an op's attributes, 40 KB each. Its own samplers have the
seed as an attribute. It also keeps a tensor for each Python number that it ever converted.
"""

import pathlib
import resource

import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.backends import library

CLASSES = 1000
LABELS = tf.constant([[3], [7]], tf.int64)
SIZES = (LABELS, 1, 20, True, CLASSES)
WEIGHTS, BIASES, INPUTS = tf.ones([CLASSES, 4]), tf.zeros([CLASSES]), tf.ones([2, 4])
COUNTS = tf.ones([CLASSES], tf.int64)
LEARNED = tsc.random.LearnedUnigramSampler(CLASSES, seed=1)
IMPLEMENTATIONS = [None, "composite"] if library.missing() is None else ["composite"]


def loss(seed):
    values = tsc.random.stateless_uniform_candidate_sampler(*SIZES, seed=[seed, 1])
    return tsc.nn.sampled_softmax_loss(
        WEIGHTS, BIASES, LABELS, INPUTS, 20, CLASSES, sampled_values=values
    )


CALLS = {
    "uniform": lambda seed: tsc.random.stateless_uniform_candidate_sampler(*SIZES, [seed, 1]),
    "log_uniform": lambda seed: tsc.random.stateless_log_uniform_candidate_sampler(
        *SIZES, [seed, 1]
    ),
    "learned_unigram": lambda seed: tsc.random.stateless_learned_unigram_candidate_sampler(
        *SIZES, [seed, 1], counts=COUNTS
    ),
    "fixed_unigram": lambda seed: tsc.random.stateless_fixed_unigram_candidate_sampler(
        *SIZES, [seed, 1], unigrams=[1.0] * CLASSES
    ),
    "LearnedUnigramSampler": lambda seed: LEARNED(*SIZES, seed=seed),
    "hits": lambda seed: tsc.nn.compute_accidental_hits(LABELS, [7, 1, 3], 1, seed=seed),
    "loss": loss,
}


def resident():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def growth(call, times):
    """Returns by how many bytes the process grew."""
    for seed in range(50):
        call(seed)
    before = resident()
    for seed in range(50, 50 + times):
        call(seed)
    return resident() - before


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", CALLS)
def test_memory_is_flat(name, implementation):
    tf.random.set_seed(1)  # With a global seed, TensorFlow's functions make a new one at each call.
    with tsc.implementation(implementation):
        assert growth(CALLS[name], 250) < 250 * 8_000


def test_memory_of_python_numbers_is_flat():
    assert growth(LEARNED._seed_of_step, 5000) < 5000 * 300


def test_tensorflows_samplers_grow():
    """If this fails, TensorFlow was mended, and docs/samplers.md can say so."""
    sizes = (LABELS, 1, 20, True, CLASSES)
    call = tf.random.log_uniform_candidate_sampler
    assert growth(lambda seed: call(*sizes, seed=seed), 250) > 250 * 8_000
