"""The stateless samplers: their draws and expected counts, in every mode."""

import functools
import math

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import naive_draws
from tf_sampled_compat.core.backends import library
from tf_sampled_compat.core.samplers import inversion, pieces
from tf_sampled_compat.core.samplers.philox import Stream

MODES = ["eager", "graph", "xla", "composite", "composite graph"]
if library.missing() is not None:
    MODES = MODES[2:]
SEEDS = [[0, 0], [1, 2], [-5, 2**60], [2**33, -(2**63)], [2**63 - 1, 1]]
COUNTS = [3, 0, 1, 2**40, 5, 2**41, 2**40, 1, 2**42, 7]
FLOATS = [0.3, 0.0, 1e-9, 1.7, 0.25, 123.0, 1e-30, 2.5, 0.125, 8.0]
LAWS = {
    "uniform": (tsc.random.stateless_uniform_candidate_sampler, {}),
    "log_uniform": (tsc.random.stateless_log_uniform_candidate_sampler, {}),
    "learned": (tsc.random.stateless_learned_unigram_candidate_sampler, {"counts": COUNTS}),
    "floats": (
        tsc.random.stateless_learned_unigram_candidate_sampler,
        {"counts": np.array(FLOATS)},
    ),
    "fixed": (
        tsc.random.stateless_fixed_unigram_candidate_sampler,
        {"unigrams": FLOATS, "distortion": 0.75},
    ),
}


def sample(law, mode, num_sampled, unique, range_max, seed, true=((0,),)):
    true = tuple(map(tuple, true))
    function = traced(law, mode, num_sampled, unique, range_max, true)
    with tsc.implementation("composite" if "composite" in mode else None):
        return function(tf.constant(seed, tf.int64))


@functools.lru_cache(maxsize=8)
def traced(law, mode, num_sampled, unique, range_max, true):
    sampler, more = LAWS[law]

    def call(seed):
        return sampler(true, len(true[0]), num_sampled, unique, range_max, seed, **more)

    if mode in ("eager", "composite"):
        return call
    return tf.function(call, jit_compile=mode == "xla")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_words_are_philox(seed, mode):
    def words(seed):
        stream = Stream(seed)
        return tf.concat([stream.words(tf.constant(0, tf.int64), 7), stream.words(6, 5)], axis=0)

    got = tf.function(words, jit_compile=mode == "xla")(tf.constant(seed, tf.int64))
    naive = [word for word, _ in zip(naive_draws.words(seed), range(11))]
    assert got.numpy().tolist() == naive[:7] + naive[6:]


RANGES = [1, 2, 3, 50, 10**6, 2**24 + 1, 2**31 - 1, 2**31, 2**31 + 7, 2**40]


@pytest.mark.parametrize("range_max", RANGES)
@pytest.mark.parametrize("law", ["uniform", "log_uniform"])
def test_classes_are_those_of_exact_arithmetic(law, range_max):
    """Only a word within 2**-55 of a boundary may give a wrong class; these few words do not."""
    words = np.random.default_rng(range_max).integers(0, 2**62, 200)
    words = np.concatenate([words, [0, 1, 2**61, 2**62 - 1]])
    invert = getattr(inversion, law)
    naive = [getattr(naive_draws, law)(int(word), range_max) for word in words]
    assert invert(tf.constant(words), range_max).numpy().tolist() == naive
    compiled = tf.function(lambda words: invert(words, range_max), jit_compile=True)
    assert compiled(tf.constant(words)).numpy().tolist() == naive


def test_the_largest_range_to_a_class():
    """Here rounding of u moves a class by a few: 2**-56 of 53 * ln 2 * 2**53."""
    words = np.random.default_rng(1).integers(0, 2**62, 500)
    naive = [naive_draws.log_uniform(int(word), 2**53) for word in words]
    got = inversion.log_uniform(tf.constant(words), 2**53).numpy()
    assert np.abs(got - np.array(naive)).max() <= 3


def test_the_classes_next_to_a_boundary():
    """A class begins at the right word, up to the rounding of u by 2**-56."""
    range_max = 10**6
    for k in (0, 1, 2, 99, 12345, range_max - 2):
        word = int(2**62 * math.log(k + 2) / math.log(range_max + 1))
        around = [word - 2**14, word + 2**14]  # float64 gives the word to within 2**10.
        assert inversion.log_uniform(tf.constant(around), range_max).numpy().tolist() == [k, k + 1]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "num_sampled, unique, range_max",
    [(1, True, 1), (3, False, 1), (5, True, 5), (30, False, 50), (30, True, 50), (50, True, 50),
     (40, True, 2**31 + 7), (33, False, 2**40), (257, True, 400)],
)  # fmt: skip
@pytest.mark.parametrize("law", ["uniform", "log_uniform"])
def test_draws_one_after_another(law, num_sampled, unique, range_max, mode):
    true = [[0], [range_max - 1], [range_max // 3]]
    for seed in SEEDS[1:3]:
        got = sample(law, mode, num_sampled, unique, range_max, seed, true)
        invert = getattr(naive_draws, law)
        classes, tries = naive_draws.draw(invert, seed, num_sampled, unique, range_max)
        assert got.sampled_candidates.numpy().tolist() == classes

        def count(k, tries=tries):
            p = 1 / range_max
            if law == "log_uniform":
                p = math.log1p(1 / (k + 1)) / math.log1p(range_max)
            return naive_draws.expected_count(p, num_sampled, tries) if p < 1 else num_sampled

        close = {"rtol": 1e-6}
        np.testing.assert_allclose(got.true_expected_count, [[count(k)] for [k] in true], **close)
        np.testing.assert_allclose(got.sampled_expected_count, [*map(count, classes)], **close)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("num_sampled, unique", [(100, False), (1, True), (5, True), (8, True)])
@pytest.mark.parametrize("law", ["learned", "floats", "fixed"])
def test_draws_by_weights(law, num_sampled, unique, mode):
    if law == "learned":
        weights, heavy = COUNTS, 4
    else:
        weights = np.float32(FLOATS) ** np.float32(0.75) if law == "fixed" else np.array(FLOATS)
        weights, heavy = [int(weight * 2**70) for weight in weights.astype(np.float64)], 7
    if unique:  # The light classes occur once in millions of draws.
        num_sampled = min(num_sampled, heavy)
    for seed in SEEDS[1:3]:
        got = sample(law, mode, num_sampled, unique, 10, seed, [[0, 1], [8, 9]])
        invert = naive_draws.weighted(weights)
        classes, tries = naive_draws.draw(invert, seed, num_sampled, unique, 10)
        assert got.sampled_candidates.numpy().tolist() == classes
        p = [weight / sum(weights) for weight in weights]
        count = [naive_draws.expected_count(p[k], num_sampled, tries) for k in range(10)]
        np.testing.assert_allclose(
            got.true_expected_count, [count[:2], count[8:]], rtol=1e-6, atol=1e-37
        )
        np.testing.assert_allclose(got.sampled_expected_count, np.take(count, classes), rtol=1e-6)
        assert got.true_expected_count[0, 1] == 0, "no weight, no count"


def test_what_has_a_weight_can_be_drawn_however_small_it_is():
    for weights in ([1.0, 1e-30, 0.0], [2.0**127, 2.0**-126, 0.0], [1e-30, 1e-30, 0.0]):
        fixed = tsc.random.stateless_fixed_unigram_candidate_sampler(
            [[0, 1, 2]], 3, 1, False, 3, [1, 2], unigrams=weights
        )
        learned = tsc.random.stateless_learned_unigram_candidate_sampler(
            [[0, 1, 2]], 3, 1, False, 3, [1, 2], counts=weights
        )
        for values in (fixed, learned):
            assert (values.true_expected_count.numpy() > 0).tolist() == [[True, True, False]]


@pytest.mark.parametrize("law", ["uniform", "log_uniform"])
@pytest.mark.parametrize("num_sampled, range_max", [(1000, 10**4), (500, 500), (2000, 10**9)])
def test_many_draws_are_the_same_everywhere(law, num_sampled, range_max):
    """The number is large enough for several rounds and for every way to find repeated classes."""
    for seed in SEEDS[1:4]:
        first, *rest = (sample(law, mode, num_sampled, True, range_max, seed) for mode in MODES)
        for other in rest:
            np.testing.assert_array_equal(first[0], other[0])
            np.testing.assert_allclose(first[1], other[1], rtol=1e-6)
            np.testing.assert_allclose(first[2], other[2], rtol=1e-6)
        assert len(set(first[0].numpy())) == num_sampled


def test_rounds_go_on_where_the_last_one_ended():
    """Each round of two draws finds one class, so there are as many rounds as possible."""
    stream = Stream(tf.constant([3, 4], tf.int64))
    whole = stream.words(0, 400)
    for first in (2, 130, 398):
        np.testing.assert_array_equal(stream.words(first, 2), whole[first : first + 2])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("unique", [True, False])
def test_counts_are_tensorflows(law, unique):
    """For the same number of tries, expected counts equal those of TensorFlow's kernels."""
    if law in ("learned", "floats"):
        pytest.skip("TensorFlow learns its counts by itself")
    stock = {
        "uniform": tf.random.uniform_candidate_sampler,
        "log_uniform": tf.random.log_uniform_candidate_sampler,
        "fixed": tf.random.fixed_unigram_candidate_sampler,
    }[law]
    ours, more = LAWS[law]
    true = [[0, 3], [8, 9]]

    def tries(count):  # By class 9, whose P is known.
        count = float(count)
        if math.isclose(count, 4 * p, rel_tol=1e-5):
            return 4
        return round(math.log1p(-count) / math.log1p(-p))

    p = float(stock(true, 2, 1, False, 10, seed=1, **more).true_expected_count[1, 1])
    wanted = {}
    for seed in range(60):
        values = stock(true, 2, 4, unique, 10, seed=seed, **more)
        wanted[tries(values.true_expected_count[1, 1])] = values.true_expected_count
    met = 0
    for seed in range(40):
        values = ours(true, 2, 4, unique, 10, [seed, 0], **more)
        other = wanted.get(tries(values.true_expected_count[1, 1]))
        if other is not None:
            met += 1
            np.testing.assert_allclose(values.true_expected_count, other, rtol=3e-5)
    assert met >= 10


@pytest.mark.parametrize("law", ["uniform", "log_uniform", "learned", "floats", "fixed"])
def test_a_seed_is_two_numbers_of_any_integer_dtype_and_every_bit_counts(law):
    sizes = (64, False, 10)
    want = sample(law, "graph", *sizes, [1, 2])[0].numpy()
    sampler, more = LAWS[law]
    for seed in ([1, 2], (1, 2), np.array([1, 2], np.int32), tf.constant([1, 2], tf.uint64)):
        np.testing.assert_array_equal(sampler([[0]], 1, *sizes, seed, **more)[0], want)
    for seed in ([2, 1], [1, 3], [1 + 2**32, 2], [1, 2 + 2**63 - 2**64], [1, 2 + 2**32]):
        assert (sample(law, "xla", *sizes, seed)[0].numpy() != want).any(), seed


def test_the_op_is_taken_outside_xla_and_not_by_the_composite():
    if library.missing() is not None:
        pytest.skip("no C++ op to take")

    def ops(compiled):
        def call():
            return tsc.random.stateless_uniform_candidate_sampler([[0]], 1, 5, True, 50, [1, 2])

        function = tf.function(call, jit_compile=compiled)
        return {op.type for op in function.get_concrete_function().graph.get_operations()}

    # One op: a piece surely suffices, so there is no loop.
    assert "SampledCompat>StatelessDraws" in ops(False) and "StatelessWhile" not in ops(False)
    assert "SampledCompat>StatelessDraws" not in ops(True)
    with tsc.implementation("composite"):
        assert not {name for name in ops(False) if name.startswith("SampledCompat>")}


def test_as_many_tries_as_tensorflow_and_not_more():
    assert pieces.MOST_TRIES == 2**31 - 1
