"""The metrics equal rankings of the whole matrix of logits, in evaluation only."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import C, D

K = 5


def metrics(kerases):
    ours = kerases.ours.metrics
    return ours.ExactRecallAtK(K), ours.ExactMRR(), ours.MeanRank()


def expected(logits, labels):
    """Computes recall, reciprocal rank and mean rank of each example by sorting."""
    order = np.argsort(-logits, axis=1, kind="stable")
    ranks = 1 + np.argmax(order[:, None, :] == labels[:, :, None], axis=2)
    return (ranks <= K).mean(axis=1), 1 / ranks.min(axis=1), ranks.mean(axis=1)


@pytest.mark.parametrize("num_true", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_values(kerases, num_true, weighted, batch):
    x = batch[0]
    labels = np.random.RandomState(3).randint(0, C, (len(x), num_true))
    weights = np.random.RandomState(4).rand(len(x)).astype(np.float32) if weighted else None
    head = kerases.ours.layers.SampledDense(C, bias_initializer="random_normal")
    logits = head(x, training=False)
    for metric, want in zip(metrics(kerases), expected(np.array(logits), labels)):
        metric.update_state(labels, logits, sample_weight=weights)
        np.testing.assert_allclose(metric.result(), np.average(want, weights=weights), rtol=1e-5)


def test_equal_logits_rank_by_id_and_nan_last(kerases):
    head = kerases.ours.layers.SampledDense(C, kernel_initializer="zeros")
    rank = kerases.ours.metrics.MeanRank()
    rank.update_state([0, 9], head(tf.ones([2, D]), training=False))
    np.testing.assert_allclose(rank.result(), (1 + 10) / 2)
    rank.reset_state()
    rank.update_state([0, 9], head(tf.fill([2, D], np.nan), training=False))
    np.testing.assert_allclose(rank.result(), C)


def test_batches_add_up_until_a_reset(kerases, batch):
    x, y = batch
    head = kerases.ours.layers.SampledDense(C)
    logits = np.array(head(x, training=False))
    for metric, want in zip(metrics(kerases), expected(logits, y[:, None])):
        metric.update_state(1 + y[:9] % 2, head(x[:9], training=False))
        metric.reset_state()
        assert np.isnan(metric.result())
        for part in (slice(None, 20), slice(20, None)):
            metric.update_state(y[part], head(x[part], training=False))
        np.testing.assert_allclose(metric.result(), want.mean(), rtol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_one_weight_for_all(kerases, batch, weight):
    """Weights that are all the same do not matter, and without any weight there is no mean."""
    x, y = batch
    logits = kerases.ours.layers.SampledDense(C)(x, training=False)
    for metric, want in zip(metrics(kerases), expected(np.array(logits), y[:, None])):
        metric.update_state(y, logits, sample_weight=np.full(len(x), weight, "f"))
        np.testing.assert_allclose(metric.result(), want.mean() if weight else np.nan, rtol=1e-5)


def test_nothing_in_training(kerases, batch):
    x, y = batch
    head = kerases.ours.layers.SampledDense(C)
    for metric in metrics(kerases):
        metric.update_state(y, head(x, training=True))
        assert np.isnan(metric.result())
        metric.update_state(y, head(x, training=False))
        assert np.isfinite(metric.result())


def test_ranks_are_computed_once_for_all_metrics(kerases, batch, monkeypatch):
    from tf_sampled_compat.core.losses import full

    calls, ranks = [], full.ranks
    monkeypatch.setattr(full, "ranks", lambda *a, **k: calls.append(a) or ranks(*a, **k))
    logits = kerases.ours.layers.SampledDense(C)(batch[0], training=False)
    for metric in metrics(kerases):
        metric.update_state(batch[1], logits)
    assert len(calls) == 1


def test_configs(kerases):
    for metric in metrics(kerases):
        again = type(metric).from_config(metric.get_config())
        assert again.get_config() == metric.get_config() and again.name == metric.name
    assert kerases.ours.metrics.ExactRecallAtK(7).name == "exact_recall_at_7"


def test_errors(kerases, batch):
    for k in (0, -5, 3.5):
        with pytest.raises(ValueError, match=f"k: expected .*got {k}"):
            kerases.ours.metrics.ExactRecallAtK(k)
    with pytest.raises(ValueError, match="y_pred of ExactMRR: expected the very output"):
        kerases.ours.metrics.ExactMRR().update_state(batch[1], tf.zeros([len(batch[1]), C]))
