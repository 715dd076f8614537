"""The losses' opt-in corrections and samplers with state equal the functions behind them."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, functional
from tests.problems import assert_close

FUNCTIONS = {
    "SampledSoftmax": (tsc.nn.sampled_softmax_loss, tsc.nn.full_softmax_loss),
    "NCE": (tsc.nn.nce_loss, tsc.nn.full_sigmoid_loss),
}


def head_and_hidden(kerases):
    head = kerases.ours.layers.SampledDense(C)
    hidden = tf.constant(np.random.RandomState(1).randn(4, 5).astype(np.float32))
    head(hidden)
    return head, hidden


def padded(r):
    labels = r.randint(0, C, (4, 3))
    labels[0, 1:], labels[2, 2] = -1, -1
    return labels


@pytest.mark.parametrize("options", [{"padding_label": -1}, {"exclude_true": True}], ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_corrections_are_the_functions(kerases, name, options):
    r = np.random.RandomState(2)
    labels = padded(r) if "padding_label" in options else r.randint(0, C, (4, 3))
    loss = getattr(kerases.ours.losses, name)(9, num_true=3, seed=3, **options)
    head, hidden = head_and_hidden(kerases)
    ours = tf.function(lambda: loss.call(labels, head(hidden, training=True)))
    theirs = tf.function(
        lambda: FUNCTIONS[name][0](
            head.kernel, head.bias, labels, hidden, 9, C, num_true=3, seed=3, **options
        )
    )
    assert_close(ours(), theirs(), rtol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_padding_is_no_class_in_evaluation(kerases, name):
    """A row's exact loss depends on its true labels alone."""
    labels = padded(np.random.RandomState(2))
    loss = getattr(kerases.ours.losses, name)(9, num_true=3, padding_label=-1)
    head, hidden = head_and_hidden(kerases)
    got = loss.call(labels, head(hidden, training=False))
    for i, row in enumerate(labels):
        there = row[row >= 0][None]
        want = FUNCTIONS[name][1](
            head.kernel, head.bias, there, hidden[i : i + 1], num_true=there.shape[1]
        )
        assert_close(got[i : i + 1], want, rtol=1e-6)


def test_a_row_of_padding_alone_has_no_loss(kerases):
    loss = kerases.ours.losses.SampledSoftmax(9, num_true=2, padding_label=-1)
    head, hidden = head_and_hidden(kerases)
    for training in (False, True):
        values = loss.call(np.full([4, 2], -1), head(hidden, training=training))
        assert np.array_equal(values, np.zeros(4))


def test_a_learned_sampler_of_ones_own(kerases, batch, tmp_path):
    """It learns in `fit`, checkpoints hold its counts, and a config describes it."""
    x, y = batch
    sampler = tsc.random.LearnedUnigramSampler(C, seed=5, decay=0.9)
    loss = kerases.ours.losses.SampledSoftmax(10, sampler=sampler)
    model = functional(kerases)
    model.compile("sgd", loss)
    counts = sampler.counts().numpy()
    model.fit(x, y, verbose=0)
    assert np.abs(sampler.counts() - counts).max() > 0

    path = tf.train.Checkpoint(model=model, sampler=sampler).save(str(tmp_path / "checkpoint"))
    fresh = tsc.random.LearnedUnigramSampler(C, seed=5, decay=0.9)
    tf.train.Checkpoint(sampler=fresh).restore(path).expect_partial()
    assert np.array_equal(fresh.counts(), sampler.counts())

    again = type(loss).from_config(loss.get_config())
    assert again.sampler.get_config() == sampler.get_config()


def test_a_saved_model_goes_on_learning(kerases, batch, tmp_path):
    """.keras and weights files hold the counts, and the next draws equal those without saving."""
    x, y = batch
    sampler = tsc.random.LearnedUnigramSampler(C, seed=5)
    model = functional(kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10, sampler=sampler))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    first = model.train_on_batch(x, y)

    loaded = kerases.keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.train_on_batch(x, y), first)
    assert np.array_equal(loaded.loss.sampler.counts(), sampler.counts())
    other = functional(kerases)
    own = tsc.random.LearnedUnigramSampler(C, seed=6)
    other.compile("sgd", kerases.ours.losses.SampledSoftmax(10, sampler=own))
    other.load_weights(tmp_path / "model.weights.h5")
    assert np.array_equal(other.train_on_batch(x, y), first)


@pytest.mark.parametrize("options", [{"padding_label": -1, "exclude_true": True}, {}], ids=str)
def test_configs_round_trip(kerases, options):
    loss = kerases.ours.losses.NCE(9, **options)
    config = type(loss).from_config(loss.get_config()).get_config()
    assert config == loss.get_config()
    assert config["padding_label"] == options.get("padding_label")
    assert config["exclude_true"] == options.get("exclude_true", False)
