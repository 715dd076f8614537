"""The mean gradients of the sampled loss approach those of the full softmax.

The sampled loss always contains the true class, but other classes only as they are drawn. So after
many draws a difference of the order of 1 / num_sampled remains.
"""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

C, D, B = 400, 4, 48
RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(C, D)).astype(np.float32) * 0.4
BIASES = RNG.normal(size=C).astype(np.float32) * 0.2
INPUTS = RNG.normal(size=(B, D)).astype(np.float32)
LABELS = RNG.integers(0, C, (B, 1))
ZIPF = (1 / np.arange(1, C + 1)).astype(np.float32)
SAMPLERS = {
    "uniform": (tsc.random.stateless_uniform_candidate_sampler, {}),
    "log_uniform": (tsc.random.stateless_log_uniform_candidate_sampler, {}),
    "learned": (
        tsc.random.stateless_learned_unigram_candidate_sampler,
        {"counts": (1 + 1000 * ZIPF).astype(np.int64)},
    ),
    "fixed": (
        tsc.random.stateless_fixed_unigram_candidate_sampler,
        {"unigrams": ZIPF, "distortion": 0.75},
    ),
}
each = pytest.mark.parametrize("sampler", SAMPLERS)


def full_gradient():
    logits = INPUTS.astype(np.float64) @ WEIGHTS.T + BIASES
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(B), LABELS[:, 0]] -= 1
    return p.T @ INPUTS


def mean_gradient(sampler, num_sampled, draws, unique=True, with_counts=True):
    """Returns the mean gradient by the weights over many draws."""
    function, more = SAMPLERS[sampler]
    weights = tf.constant(WEIGHTS)

    @tf.function
    def gradient(seed):
        values = function(LABELS, 1, num_sampled, unique, C, seed, **more)
        if not with_counts:
            values = (values[0], tf.ones([B, 1]), tf.ones([num_sampled]))
        with tf.GradientTape() as tape:
            tape.watch(weights)
            loss = tf.reduce_sum(
                tsc.nn.sampled_softmax_loss(
                    weights,
                    BIASES,
                    LABELS,
                    INPUTS,
                    num_sampled,
                    C,
                    sampled_values=values,
                    remove_accidental_hits=unique,  # It removes only the last of repeated ones.
                )
            )
        return tf.convert_to_tensor(tape.gradient(loss, weights))

    return np.mean([gradient(tf.constant([n, 1], tf.int64)) for n in range(draws)], axis=0)


def error(sampler, num_sampled, draws, **how):
    want = full_gradient()
    got = mean_gradient(sampler, num_sampled, draws, **how)
    return np.linalg.norm(got - want) / np.linalg.norm(want)


@each
@pytest.mark.parametrize("unique", [True, False], ids=["unique", "repeated"])
def test_many_draws_come_to_the_full_gradient(sampler, unique):
    few, many = (error(sampler, s, 400, unique=unique) for s in (25, 200))
    assert many < few / 3
    # With repetition there are fewer distinct candidates.
    assert many < (0.02 if unique else 0.035)


@pytest.mark.parametrize("sampler", ["log_uniform", "learned", "fixed"])
def test_without_log_q_they_do_not(sampler):
    """They approach a different value, even with more draws."""
    with_q = error(sampler, 200, 400)
    assert error(sampler, 200, 400, with_counts=False) > max(5 * with_q, 0.05)


def test_all_classes_uniformly_are_the_full_softmax():
    assert error("uniform", C, 1) < 1e-5


@pytest.mark.parametrize("sampler", ["log_uniform", "learned", "fixed"])
def test_all_classes_differ_by_what_is_expected_of_the_rare_ones(sampler):
    """In TensorFlow's convention, their log Q is not quite 0. The difference has just this size."""
    function, more = SAMPLERS[sampler]
    values = function(LABELS, 1, C, True, C, [0, 1], **more)
    assert sorted(values.sampled_candidates.numpy()) == list(range(C))
    off = -np.log(float(tf.reduce_min(values.sampled_expected_count)))
    assert error(sampler, C, 1) < 2 * off
    assert error(sampler, C, 1) < 0.05
