"""Mixtures and in-batch candidates: their counts, and gradients equal to the full softmax's."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import dense

C, D, B = 40, 6, 16
R = np.random.RandomState(0)
WEIGHTS, BIASES = R.randn(C, D).astype("f"), R.randn(C).astype("f")
INPUTS = R.randn(B, D).astype("f")
ZIPF = 1.0 / (1 + np.arange(C)) / np.sum(1.0 / (1 + np.arange(C)))


def draw_labels(r, size):
    return r.choice(C, [size, 1], p=ZIPF)


LABELS = draw_labels(R, B)


def taught(seed=1, **options):
    sampler = tsc.random.LearnedUnigramSampler(C, seed=seed, **options)
    for _ in range(40 if options else 1):
        sampler.learn(draw_labels(np.random.RandomState(seed), 5000))
    return sampler


def gradient(loss):
    """Returns the gradient of a mean loss by the weights, in float64."""
    weights = tf.constant(WEIGHTS)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = tf.reduce_mean(loss(weights))
    return dense(tf.convert_to_tensor(tape.gradient(value, weights)))


FULL = gradient(lambda w: tsc.nn.full_softmax_loss(w, BIASES, LABELS, INPUTS))


def sampled(sampler, size, calls=40, **options):
    options = {"exclude_true": True, **options}

    @tf.function
    def once():
        return gradient_tensor(
            lambda w: tsc.nn.sampled_softmax_loss(
                w, BIASES, LABELS, INPUTS, size, C, sampler=sampler, **options
            )
        )

    def gradient_tensor(loss):
        weights = tf.constant(WEIGHTS)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = tf.reduce_mean(loss(weights))
        return tf.convert_to_tensor(tape.gradient(value, weights))

    return np.mean([once().numpy() for _ in range(calls)], axis=0)


def apart(got):
    return np.linalg.norm(got - FULL) / np.linalg.norm(FULL)


def repeated(sampler):
    """Makes a sampler of independent draws, any number of them."""
    return lambda labels, num_true, size, unique, range_max, seed: sampler(
        labels, num_true, size, False, range_max, seed=seed
    )


def without_log_q(sampler):
    def draw(*args, **options):
        ids, true_count, count = sampler(*args, **options)
        return ids, tf.ones_like(true_count), tf.ones_like(count) * tf.reduce_mean(count)

    return draw


def log_uniform(*args, **options):
    return tsc.random.log_uniform_candidate_sampler(*args, **options)


SAMPLERS = {
    "learned": lambda n: repeated(taught()),
    "decaying": lambda n: repeated(taught(decay=0.9)),
    "log-uniform and learned": lambda n: tsc.random.MixtureSampler(
        [(log_uniform, n // 4), (taught(), n - n // 4)]
    ),
    "uniform and log-uniform": lambda n: tsc.random.MixtureSampler(
        [(tsc.random.uniform_candidate_sampler, n // 2), (log_uniform, n - n // 2)]
    ),
}


@pytest.mark.parametrize("kind", SAMPLERS)
def test_many_draws_give_the_full_softmaxs_gradient(kind):
    size = 20_000
    sampler = SAMPLERS[kind](size)
    assert apart(sampled(sampler, size)) < 0.015
    assert apart(sampled(without_log_q(sampler), size)) > 0.09
    # The error of one call is random; more candidates reduce it.
    assert apart(sampled(SAMPLERS[kind](100), 100, calls=1)) > 0.03


def test_in_batch_labels_give_the_full_softmaxs_gradient():
    """The tested rows are among many others, whose labels are the candidates."""
    frequencies, size = taught(), 3000
    in_batch = tsc.random.InBatchSampler(frequencies)
    r = np.random.RandomState(3)
    others = [draw_labels(r, size - B) for _ in range(20)]
    step = iter(range(10**6))

    def sampler(labels, num_true, num_sampled, unique, range_max, seed):
        rest = tf.numpy_function(lambda: others[next(step) % 20], [], tf.int64)
        labels = tf.concat([labels, tf.ensure_shape(rest, [size - B, 1])], axis=0)
        ids, true_count, count = in_batch(labels, 1, num_sampled, unique, range_max, seed=seed)
        # The rows' own labels are not random, but they are only B of many.
        return ids, true_count[:B], count

    assert apart(sampled(sampler, size, calls=20)) < 0.04
    assert apart(sampled(without_log_q(sampler), size, calls=20)) > 0.2


def test_the_mixtures_count_is_the_sum():
    frequencies = taught()
    p = frequencies.probability(np.arange(C)).numpy()
    mixture = tsc.random.MixtureSampler(
        [(tsc.random.log_uniform_candidate_sampler, 6), (frequencies, 10),
         (tsc.random.InBatchSampler(frequencies), C)])  # fmt: skip
    ids, true_count, count = mixture(np.arange(C)[:, np.newaxis], 1, 16 + C, True, C)
    q = np.log((np.arange(C) + 2) / (np.arange(C) + 1)) / np.log(C + 1)
    expected = 6 * q + (10 + C) * p
    np.testing.assert_allclose(true_count[:, 0], expected, rtol=1e-5)
    np.testing.assert_allclose(count, expected[ids.numpy()], rtol=1e-5)
    np.testing.assert_array_equal(ids[16:], np.arange(C))


@pytest.mark.parametrize("how", ["eager", "graph", "xla"])
def test_a_batch_is_learned_once(how):
    """A batch is learned once even if several samplers share it, and only after its draw."""
    frequencies = tsc.random.LearnedUnigramSampler(C, seed=1)
    mixture = tsc.random.MixtureSampler(
        [(frequencies, 5), (tsc.random.InBatchSampler(frequencies), 3)])  # fmt: skip
    call = lambda labels: mixture(labels, 1, 8, False, C)  # noqa: E731
    call = call if how == "eager" else tf.function(call, jit_compile=how == "xla")
    _, true_count, _ = call(tf.constant([[3], [3], [7]], tf.int64))
    np.testing.assert_allclose(true_count, np.full([3, 1], 8 / C), rtol=1e-6)
    assert frequencies.counts().numpy()[[2, 3, 7]].tolist() == [1, 3, 2]


def test_every_loss_takes_them():
    mixture = tsc.random.MixtureSampler(
        [(log_uniform, 8), (tsc.random.InBatchSampler(taught()), B)])  # fmt: skip
    for loss, more in [
        (tsc.nn.sampled_softmax_loss, {}),
        (tsc.nn.nce_loss, {}),
        (tsc.nn.sampled_sparse_softmax_loss, {}),
        (tsc.nn.rank_sampled_softmax_loss, {"num_resampled": 6}),
    ]:
        value = loss(
            WEIGHTS, BIASES, LABELS, INPUTS, num_sampled=8 + B, num_classes=C, sampler=mixture,
            **more)  # fmt: skip
        assert np.isfinite(value).all()


def test_errors():
    frequencies = tsc.random.LearnedUnigramSampler(C)
    with pytest.raises(ValueError, match="num_sampled: expected as many in-batch candidates"):
        tsc.random.InBatchSampler(frequencies)(LABELS, 1, 5, False, C)
    with pytest.raises(ValueError, match="frequencies: expected a LearnedUnigramSampler"):
        tsc.random.InBatchSampler(log_uniform)
    with pytest.raises(ValueError, match=r"num_sampled: expected the sum of \[4\], got 5"):
        tsc.random.MixtureSampler([(frequencies, 4)])(LABELS, 1, 5, False, C)
    with pytest.raises(ValueError, match="range_max"):
        tsc.random.MixtureSampler([(frequencies, 4)])(LABELS, 1, 4, False, 50)
    with pytest.raises(ValueError, match="samplers: expected LearnedUnigramSampler, whose"):
        tsc.random.MixtureSampler([(tsc.random.learned_unigram_candidate_sampler, 4)])
    with pytest.raises(ValueError, match="samplers: expected at least one"):
        tsc.random.MixtureSampler([])
