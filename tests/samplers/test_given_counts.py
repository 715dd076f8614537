"""Counts that are given: a learned sampler that starts from them, and in-batch frequencies."""

import copy
import pickle

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.samplers.frequencies import Frequencies, as_frequencies

R = np.random.RandomState(0)
LABELS = np.array([[3], [3], [7], [0]])


@pytest.mark.parametrize("size", [1, 16, 17, 300, 5000])
def test_a_learned_sampler_starts_from_given_counts(size):
    """As if it had learned each class so often."""
    seen = R.randint(0, 4, size)
    taught = tsc.random.LearnedUnigramSampler(size, seed=1)
    taught.learn(np.repeat(np.arange(size), seen))
    for counts in (seen, seen.astype(np.float32), list(map(int, seen)), tf.constant(seen)):
        given = tsc.random.LearnedUnigramSampler(size, seed=1, initial_counts=counts)
        np.testing.assert_array_equal(given.counts(), 1 + seen)
        for mine, wanted in zip(given._tree.variables, taught._tree.variables):
            np.testing.assert_array_equal(mine, wanted)
    labels = [[0]]
    for mine, wanted in zip(given(labels, 1, 9, False, size), taught(labels, 1, 9, False, size)):
        np.testing.assert_array_equal(mine, wanted)
    np.testing.assert_array_equal(given.counts(), taught.counts())
    again = tsc.random.LearnedUnigramSampler(**given.get_config())
    np.testing.assert_array_equal(again.counts(), 1 + seen)


def test_with_decay_the_first_intervals_are_in_proportion():
    seen = np.array([0, 9, 0, 89])
    sampler = tsc.random.LearnedUnigramSampler(4, seed=1, decay=0.9, initial_counts=seen)
    wanted = (1 + seen) / (1 + seen).sum()
    np.testing.assert_allclose(sampler.probability(np.arange(4)), wanted, rtol=1e-9)
    for _ in range(200):
        sampler.learn([2])
    assert sampler.probability(2) > 0.4  # it was 0.01


@pytest.mark.parametrize(
    "counts", [[1, 2], [[1], [2], [3]], [1, -1, 2], [1, 0.5, 2], [1, np.nan, 2], ["a", "b", "c"]]
)
def test_initial_counts_are_checked(counts):
    with pytest.raises(ValueError, match=r"initial_counts: expected a \[3\] array of whole"):
        tsc.random.LearnedUnigramSampler(3, initial_counts=counts)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_in_batch_candidates_with_given_frequencies(mode):
    frequencies = np.arange(1, 11) * 2.5
    sampler = tsc.random.InBatchSampler(frequencies)

    def draw():
        return sampler(LABELS, 1, 4, False, 10)

    call = {"eager": draw, "graph": tf.function(draw),
            "xla": tf.function(draw, jit_compile=True)}[mode]  # fmt: skip
    for _ in range(2):  # Nothing is learned.
        sampled, true_count, sampled_count = call()
        np.testing.assert_array_equal(sampled, LABELS[:, 0])
        wanted = 4 * frequencies[LABELS] / frequencies.sum()
        np.testing.assert_allclose(true_count, wanted, rtol=1e-6)
        np.testing.assert_allclose(sampled_count, wanted[:, 0], rtol=1e-6)


def test_given_frequencies_in_a_mixture_and_a_loss():
    weights, inputs = R.randn(10, 4).astype("f"), R.randn(4, 4).astype("f")
    frequencies = R.uniform(1, 2, 10)
    mixture = tsc.random.MixtureSampler(
        [(tsc.random.uniform_candidate_sampler, 6), (tsc.random.InBatchSampler(frequencies), 4)]
    )
    sampled, _, count = mixture(LABELS, 1, 10, False, 10)
    chance = frequencies / frequencies.sum()
    np.testing.assert_allclose(count, 4 * chance[sampled] + 0.6, rtol=1e-6)
    loss = tsc.nn.sampled_softmax_loss(
        weights, tf.zeros([10]), LABELS, inputs, 10, 10, sampler=mixture, exclude_true=True
    )
    assert np.isfinite(loss).all()


def test_what_frequencies_refuse():
    for bad in ([1.0, -1.0], [0.0, 0.0], [[1.0]], [1.0, np.inf], ["a"], None, "uniform", len):
        with pytest.raises(ValueError, match="frequencies: expected .*array of numbers"):
            tsc.random.InBatchSampler(bad)
    sampler = tsc.random.InBatchSampler([1.0, 2.0])
    with pytest.raises(ValueError, match="range_max: expected the number of frequencies, 2"):
        sampler([[0]], 1, 1, False, 3)
    with pytest.raises(ValueError, match=r"true_classes: expected class ids in \[0, 2\)"):
        sampler([[5]], 1, 1, False, 2)


def test_frequencies_are_copied_and_described():
    given = as_frequencies([1, 3])
    for other in (
        copy.deepcopy(given), pickle.loads(pickle.dumps(given)),
        Frequencies.from_config(given.get_config()), as_frequencies(given),
    ):  # fmt: skip
        np.testing.assert_array_equal(other.probability([1, 0]), [0.75, 0.25])
    variable = tf.Variable([1.0, 1.0])
    read_later = as_frequencies(variable)
    variable.assign([1.0, 3.0])
    np.testing.assert_array_equal(read_later.probability([1, 0]), [0.75, 0.25])
