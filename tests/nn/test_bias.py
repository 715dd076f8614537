"""How far the sampled loss of all terms is from the full one, on average over 10,000 draws.

At finite S a sampled loss is biased: the logarithm of an unbiased sum is not unbiased. The bias
falls as S grows, and with every class among the candidates it is gone. XLA loops over the draws.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import composed_reference
from tests.problems import assert_close, problem
from tf_sampled_compat.core.backends.choice import BACKENDS
from tf_sampled_compat.core.backends.interface import Gathered

pytestmark = pytest.mark.no_op_seeds

DRAWS = 10_000
C, B, T = 16, 3, 2
P = problem(C=C, D=3, B=B, T=T)
LABELS = np.array([[0, 9], [3, 1], [15, 6]])
FREQUENCIES = np.array([40, 25, 12, 9, 7, 7, 5, 5, 4, 3, 3, 2, 1, 1, 0, 0])
LABEL_WEIGHTS = np.array([[0.7, 0.2], [1.0, 0.0], [0.25, 0.5]], "f")
TERMS = {
    "normalize": True, "temperature": 0.5, "margin": tsc.margins.ArcFace(0.3),
    "label_weights": LABEL_WEIGHTS, "label_smoothing": 0.2, "z_loss": 0.02,
}  # fmt: skip


def uniform(size, unique):
    return tsc.random.uniform_candidate_sampler(LABELS, T, size, unique, C, seed=1)


def log_uniform(size, unique):
    return tsc.random.log_uniform_candidate_sampler(LABELS, T, size, unique, C, seed=2)


def learned(size, unique):
    sampler = learned_frequencies()
    return sampler.draw(LABELS, size, unique)


@functools.lru_cache
def learned_frequencies():
    return tsc.random.LearnedUnigramSampler(C, seed=3, initial_counts=FREQUENCIES)


def mixed(size, unique):
    """Half by frequency, half uniform. The draws are independent, so classes repeat."""
    del unique
    half = size // 2
    parts = [(tsc.random.log_uniform_candidate_sampler, half),
             (tsc.random.uniform_candidate_sampler, size - half)]  # fmt: skip
    return tsc.random.MixtureSampler(parts)(LABELS, T, size, False, C, seed=4)


SAMPLERS = {draw.__name__: draw for draw in (uniform, log_uniform, learned, mixed)}


def drawn(name, size, unique=True, draws=DRAWS):
    """Returns the three sampled values of many draws, stacked."""

    @tf.function(autograph=False)
    def every():
        types = tf.int64, tf.float32, tf.float32
        one = lambda _: tuple(SAMPLERS[name](size, unique))  # noqa: E731
        return tf.map_fn(one, tf.range(draws), fn_output_signature=types, parallel_iterations=1)

    return every()


@functools.lru_cache
def losses_of():
    """Returns the function of stacked draws that computes the `[draws, B]` losses."""

    def one(values):
        return tsc.nn.sampled_softmax_loss(
            P.weights, P.biases, LABELS, P.inputs, values[0].shape[0], C, T, values,
            exclude_true=True, **TERMS)  # fmt: skip

    @tf.function(jit_compile=True, autograph=False)
    def every(sampled, true_count, sampled_count):
        shapes = (sampled, true_count, sampled_count)
        return tf.map_fn(one, shapes, fn_output_signature=tf.float32, parallel_iterations=1)

    return every


@functools.lru_cache
def full():
    """Returns the full losses of the same terms: all classes are negatives, with a count of 1."""
    options = {**TERMS, "margin": composed_reference.arc_face(0.3)}
    tables = (a.astype("d") for a in (P.weights, P.biases))
    return composed_reference.sampled(
        "softmax", *tables, LABELS, P.inputs, np.arange(C), np.ones([B, T]), np.ones(C),
        hits="all", **options)  # fmt: skip


def bias(values):
    """Returns the mean difference to the full loss over the draws, and its standard error."""
    difference = losses_of()(*values).numpy().astype("d") - full()
    return difference.mean(axis=0), difference.std(axis=0) / np.sqrt(len(difference))


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_bias_falls_as_more_classes_are_sampled(name):
    found, errors = zip(*(bias(drawn(name, size)) for size in (2, 8, C)))
    for few, more, error in zip(found, found[1:], errors):
        assert (np.abs(more) < np.abs(few) - 5 * error).all(), (few, more, error)
    if name == "mixed":  # The bias of independent draws falls as 1 / S, in the end.
        many, error = bias(drawn(name, 4 * C))
        assert (np.abs(many) < 0.45 * np.abs(found[-1]) + 3 * error).all(), (found[-1], many)


@pytest.mark.parametrize("name", ["uniform", "log_uniform", "learned"])
def test_no_bias_is_left_if_every_class_is_a_candidate(name):
    sampled, true_count, sampled_count = drawn(name, C, draws=20)
    assert (np.sort(sampled, axis=1) == np.arange(C)).all()
    if name != "learned":
        # TensorFlow's kernels estimate the counts from the number of tries. They are 1 for certain.
        true_count, sampled_count = tf.ones_like(true_count), tf.ones_like(sampled_count)
    got = losses_of()(*every_draw_of(sampled, true_count, sampled_count))
    assert_close(got, np.broadcast_to(full(), got.shape), 2e-6)


def every_draw_of(*values):
    """Repeats some draws until they have the shape for which the losses are compiled."""
    return [tf.repeat(value, DRAWS // len(value), axis=0) for value in values]


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_estimate_of_the_partition_function_is_unbiased(name, implementation):
    """Σ_s exp(z_s) / E_s, averaged over the draws, is Σ_c exp(z_c) within three standard errors."""
    sampled, true_count, counts = drawn(name, 8, unique=False)
    # The sum over all draws is that over one list of candidates, so that one call of the op has it.
    gathered = Gathered(
        inputs=tf.constant(P.inputs),
        rows=tf.constant(P.weights),
        row_biases=tf.constant(P.biases),
        sampled_positions=tf.cast(tf.reshape(sampled, [-1]), tf.int32),
        true_positions=tf.constant(LABELS, tf.int32),
        hits=tf.zeros([0, 2], tf.int32),
        true_offset=-tf.math.log(true_count[0]),
        sampled_offset=-tf.math.log(tf.reshape(counts, [-1])),
        num_true=T,
        compute_dtype=tf.float32,
    )
    negatives = BACKENDS[implementation].terms(gathered, "softmax").negatives
    estimate = np.exp(negatives.numpy().astype("d")) / DRAWS
    exponentials = np.exp(P.inputs.astype("d") @ P.weights.T + P.biases)
    of_draws = (exponentials[:, sampled.numpy()] / counts.numpy()).sum(axis=2)
    assert_close(estimate, of_draws.mean(axis=1), 1e-5)
    error = of_draws.std(axis=1) / np.sqrt(DRAWS)
    partition = exponentials.sum(axis=1)
    assert (error < 0.03 * partition).all(), "the error is small enough to see a bias"
    assert (np.abs(estimate - partition) < 3 * error).all(), (estimate, partition, error)
