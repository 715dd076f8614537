"""Labels of the batch as candidates: fewer than `num_sampled`, or some of them masked."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

C = 40
LABELS = np.array([[3, 7], [9, 0], [3, 0], [0, 0]])
MASK = np.array([[1, 1], [1, 0], [1, 0], [0, 0]], bool)
MODES = {
    "eager": lambda f: f,
    "graph": lambda f: tf.function(f, autograph=False),
    "xla": lambda f: tf.function(f, autograph=False, jit_compile=True),
}
modes = pytest.mark.parametrize("mode", MODES)


def frequencies():
    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    sampler.learn(np.arange(C)[:, None] // 2)
    return sampler


def p_of(sampler, ids):
    return sampler.probability(np.maximum(ids, 0)).numpy()


@modes
def test_fewer_labels_than_candidates(mode):
    counted = frequencies()
    want = 3 * p_of(counted, [3, 9, 3])
    call = MODES[mode](lambda x: tsc.random.InBatchSampler(counted)(x, 1, 8, True, C))
    sampled, true_count, count = call(tf.constant([[3], [9], [3]], tf.int64))
    assert sampled.numpy().tolist() == [3, 9, 3]
    np.testing.assert_allclose(count, want, rtol=1e-6)
    np.testing.assert_allclose(true_count[:, 0], want, rtol=1e-6)


@modes
def test_a_mask(mode):
    """Padding is no candidate, is not learned, and is expected once."""
    counted = frequencies()
    before = counted.counts().numpy()
    p = p_of(counted, LABELS)
    in_batch = tsc.random.InBatchSampler(counted)
    call = MODES[mode](lambda x, mask: in_batch(x, 2, 6, True, C, mask=mask))
    sampled, true_count, count = call(tf.constant(LABELS), tf.constant(MASK))
    there = sampled.numpy() >= 0
    assert there.all() == (mode != "xla")
    assert sampled.numpy()[there].tolist() == [3, 7, 9, 3]
    np.testing.assert_allclose(true_count, np.where(MASK, 4 * p, 1), rtol=1e-6)
    np.testing.assert_allclose(count[:4], 4 * p[MASK], rtol=1e-6)
    learned = counted.counts().numpy() - before
    np.testing.assert_array_equal(learned, np.bincount(LABELS[MASK], minlength=C))


@modes
def test_a_mask_of_a_mixture(mode):
    """Every mode draws the same by the learned sampler, and counts alike."""
    counted = frequencies()
    mixture = tsc.random.MixtureSampler([(counted, 5), (tsc.random.InBatchSampler(counted), 8)])
    p = p_of(counted, LABELS)
    call = MODES[mode](lambda x, mask: mixture(x, 2, 13, True, C, mask=mask))
    sampled, true_count, count = call(tf.constant(LABELS), tf.constant(MASK))
    want = frequencies().draw([[0]], 5, False).sampled_candidates
    np.testing.assert_array_equal(sampled[:5], want)
    assert sampled.numpy()[5:9].tolist() == [3, 7, 9, 3]
    np.testing.assert_allclose(true_count, np.where(MASK, 9 * p, 1), rtol=1e-6)
    np.testing.assert_allclose(count[5:9], 9 * p[MASK], rtol=1e-6)
    assert len(sampled) == (13 if mode == "xla" else 9)


def test_more_labels_than_candidates():
    for labels, options in ((LABELS, {}), (LABELS, {"mask": tf.constant(MASK)})):
        with pytest.raises(ValueError, match="num_sampled: expected as many in-batch candidates"):
            tsc.random.InBatchSampler(frequencies())(labels, 2, 3, True, C, **options)
    # XLA raises no errors.
    in_batch = tsc.random.InBatchSampler(frequencies())
    call = tf.function(lambda x, mask: in_batch(x, 2, 3, True, C, mask=mask), jit_compile=True)
    values = call(tf.constant(LABELS), tf.constant(MASK))
    assert np.isnan(values.sampled_expected_count).all()


@modes
@pytest.mark.parametrize("hits", [True, False])
@pytest.mark.parametrize("exclude_true", [True, False])
def test_padding_in_a_loss(mode, hits, exclude_true):
    """The loss is that of the candidates that are there."""
    r = np.random.RandomState(0)
    weights, biases = r.randn(C, 6).astype("f"), r.randn(C).astype("f")
    inputs = r.randn(4, 6).astype("f")
    labels = np.where(MASK, LABELS, -1)
    options = {
        "num_classes": C,
        "num_true": 2,
        "padding_label": -1,
        "remove_accidental_hits": hits,
        "exclude_true": exclude_true,
    }
    p = p_of(frequencies(), LABELS)
    values = np.array([3, 7, 9, 3]), (4 * p).astype("f"), (4 * p[MASK]).astype("f")
    want = tsc.nn.sampled_softmax_loss(
        weights, biases, labels, inputs, 4, sampled_values=values, **options
    )
    in_batch = tsc.random.InBatchSampler(frequencies())
    call = MODES[mode](
        lambda x, y: tsc.nn.sampled_softmax_loss(
            weights, biases, y, x, 8, sampler=in_batch, **options
        )
    )
    got = call(tf.constant(inputs), tf.constant(labels))
    np.testing.assert_allclose(got, want, rtol=1e-5)
