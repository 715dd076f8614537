"""A weight for each true class: `sample_weight` of the shape of y."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, functional
from tests.problems import assert_close

B, T, S = 5, 3, 9
R = np.random.RandomState(0)
HIDDEN = R.randn(B, D).astype(np.float32)
LABELS = np.array([[1, 2, 3], [4, 5, -1], [6, -1, -1], [7, 8, 9], [-1, -1, -1]])
WEIGHTS = np.float32([[1, 2, 0.5], [0.3, 1, 9], [2, 7, 7], [0, 1, 3], [1, 1, 1]])
SAMPLED = np.array([11, 3, 20, 4, 31, 42, 7, 13, 25])


def given(labels, num_true, *_, seed=None, **options):
    counts = tf.fill([tf.shape(labels)[0], num_true], 0.5)
    return SAMPLED, counts, np.linspace(0.2, 1, S).astype(np.float32)


def naive(name, kernel, bias, training):
    """Computes each row's loss in NumPy, in float64; None for a row without a true class."""
    losses = []
    for x, labels, weights in zip(HIDDEN, LABELS, WEIGHTS):
        there = (labels >= 0) & (weights != 0)
        labels, weights = labels[there], weights[there].astype(float)
        logits = kernel.astype(float) @ x + bias
        if training:
            true = logits[labels] - np.log(0.5)
            ids = np.array([s not in labels for s in SAMPLED])
            others = (logits[SAMPLED] - np.log(np.linspace(0.2, 1, S)))[ids]
        else:
            true, others = logits[labels], np.delete(logits, labels)
        if not len(labels):
            losses.append(None)
        elif name == "SampledSoftmax":
            total = np.log(np.exp(true).sum() + np.exp(others).sum())
            losses.append((weights * (total - true)).sum() / len(labels))
        else:
            terms = np.log1p(np.exp(true)) - true / len(labels)
            losses.append(np.log1p(np.exp(others)).sum() + (weights * terms).sum())
    return losses


@pytest.mark.parametrize("name", ["SampledSoftmax", "NCE"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_against_numpy(kerases, name, training, jit_compile):
    head = kerases.ours.layers.SampledDense(C)
    head(HIDDEN)
    options = {"num_true": T, "sampler": given, "padding_label": -1}
    options["remove_accidental_hits"] = True
    loss = getattr(kerases.ours.losses, name)(S, **options, reduction="none")
    mean = getattr(kerases.ours.losses, name)(S, **options)

    @tf.function(jit_compile=jit_compile)
    def values(labels, weights):
        logits = head(tf.constant(HIDDEN), training=training)
        return loss(labels, logits, weights), mean(labels, logits, weights)

    got, got_mean = values(tf.constant(LABELS), tf.constant(WEIGHTS))
    want = naive(name, head.kernel.numpy(), head.bias.numpy(), training)
    there = [value for value in want if value is not None]
    assert_close(got, np.array([value or 0 for value in want]), rtol=1e-5)
    assert_close(got_mean, np.mean(there), rtol=1e-5)


@pytest.mark.parametrize("name", ["SampledSoftmax", "NCE"])
def test_gradients_under_xla_beside_a_row_without_a_true_class(kerases, name):
    """XLA keeps the row, and a NaN in it would reach the gradients of the others."""
    head = kerases.ours.layers.SampledDense(C)
    head(HIDDEN)
    options = {"num_true": T, "sampler": given, "padding_label": -1}
    loss = getattr(kerases.ours.losses, name)(S, **options)

    def gradient(hidden):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            value = loss(tf.constant(LABELS), head(hidden, training=True), tf.constant(WEIGHTS))
        return tape.gradient(value, hidden)

    hidden = tf.constant(HIDDEN)
    got, want = (tf.function(gradient, jit_compile=jit)(hidden) for jit in (True, False))
    assert_close(got, want, rtol=1e-5)


@pytest.mark.parametrize("name", ["SampledSoftmax", "NCE", "RankSampledSoftmax"])
def test_weights_of_one_change_nothing(kerases, name):
    head = kerases.ours.layers.SampledDense(C)
    labels = np.abs(LABELS)
    head(HIDDEN)
    values = []
    for weights in (None, np.ones([B, T], np.float32)):
        sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
        sizes = (20, 9) if name == "RankSampledSoftmax" else (20,)
        loss = getattr(kerases.ours.losses, name)(*sizes, num_true=T, sampler=sampler)
        with tf.GradientTape() as tape:
            value = loss(labels, head(HIDDEN, training=True), weights)
        gradient = tape.gradient(value, head.trainable_weights)
        values.append([value, *map(tf.convert_to_tensor, gradient)])
    for got, want in zip(*values):
        assert_close(got, want, rtol=1e-5)


def test_in_fit(kerases):
    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    model = functional(kerases)
    loss = kerases.ours.losses.SampledSoftmax(9, num_true=T, sampler=sampler, padding_label=-1)
    model.compile("sgd", loss)
    history = model.fit(HIDDEN, LABELS, sample_weight=WEIGHTS, verbose=0).history
    assert np.isfinite(history["loss"][0])
    seen = LABELS[(LABELS >= 0) & (WEIGHTS != 0)]
    np.testing.assert_array_equal(sampler.counts(), 1 + np.bincount(seen, minlength=C))


def test_ragged_weights_beside_ragged_labels(kerases):
    labels = tf.ragged.constant([[1, 2], [3], [], [4, 5, 6]])
    weights = tf.ragged.constant([[1.0, 2.0], [0.5], [], [4.0, 5.0, 1.0]])
    head = kerases.ours.layers.SampledDense(C)
    logits = head(HIDDEN[:4], training=False)
    loss = kerases.ours.losses.SampledSoftmax(9, num_true=3)
    assert_close(
        loss(labels, logits, weights),
        loss(labels.to_tensor(7), logits, weights.to_tensor(0.0)),
        rtol=1e-6,
    )
