"""Every way to train and evaluate, in every kind of model."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import (
    MODELS,
    C,
    D,
    exact_softmax,
    functional,
    head_of,
    logits_of,
    subclass,
    values,
)

models = pytest.mark.parametrize("kind", MODELS)


def losses(kerases):
    ours = kerases.ours.losses
    return {
        "SampledSoftmax": ours.SampledSoftmax(10),
        "NCE": ours.NCE(10),
        "RankSampledSoftmax": ours.RankSampledSoftmax(20, 10),
        "SampledSparseSoftmax": ours.SampledSparseSoftmax(10),
    }


LOSSES = ["SampledSoftmax", "NCE", "RankSampledSoftmax", "SampledSparseSoftmax"]


def compiled(kerases, kind="functional", loss=None, **options):
    model = MODELS[kind](kerases)
    metrics = [kerases.ours.metrics.ExactRecallAtK(5)]
    loss = loss or kerases.ours.losses.SampledSoftmax(10)
    model.compile("adam", loss, metrics=metrics, **options)
    return model


def assert_evaluates_exactly(model, x, y):
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(results["loss"], exact_softmax(model, x, y).mean(), rtol=1e-5)
    logits = logits_of(model, x)
    ranks = 1 + (logits > logits[np.arange(len(y)), y][:, None]).sum(axis=1)
    np.testing.assert_allclose(results["exact_recall_at_5"], (ranks <= 5).mean(), rtol=1e-6)


@models
@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eagerly"])
def test_fit_trains_kernel_and_bias_and_evaluate_is_exact(kerases, kind, eagerly, batch):
    x, y = batch
    model = compiled(kerases, kind, run_eagerly=eagerly)
    model.predict(x[:1], verbose=0)  # builds it
    before = values(head_of(model).weights)
    history = model.fit(x, y, validation_split=0.25, verbose=0).history
    after = values(head_of(model).weights)
    assert [w.shape for w in after] == [(C, 16), (C,)]
    assert all((a != b).any() for a, b in zip(after, before))
    # Untrained, with at most 11 candidates, the loss is log 11, well below log 50 for all classes.
    assert history["loss"][0] < 3.0 and history["val_loss"][0] > 3.5
    assert np.isnan(history["exact_recall_at_5"][0])
    assert 0 <= history["val_exact_recall_at_5"][0] <= 1
    assert_evaluates_exactly(model, x, y)


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_trains_sampled_and_evaluates_over_all_classes(kerases, loss, batch):
    x, y = batch
    model = compiled(kerases, loss=losses(kerases)[loss])
    before = values(model.trainable_weights)
    assert np.isfinite(model.train_on_batch(x, y)[0])
    assert all((a != b).any() for a, b in zip(values(model.trainable_weights), before))
    got = model.evaluate(x, y, verbose=0)[0]
    if loss == "NCE":
        logits = logits_of(model, x)
        targets = tf.one_hot(y, C)
        every = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        np.testing.assert_allclose(got, tf.reduce_mean(tf.reduce_sum(every, 1)), rtol=1e-5)
    else:
        np.testing.assert_allclose(got, exact_softmax(model, x, y).mean(), rtol=1e-5)


def test_datasets_steps_per_execution_and_callbacks(kerases, batch):
    x, y = batch
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    model = compiled(kerases, steps_per_execution=3)
    ends = []
    callback = kerases.keras.callbacks.LambdaCallback(on_epoch_end=lambda *a: ends.append(a))
    history = model.fit(data, epochs=2, validation_data=data, callbacks=[callback], verbose=0)
    assert len(ends) == 2 and np.isfinite(history.history["val_loss"]).all()
    assert_evaluates_exactly(model, x, y)


def test_test_on_batch_is_exact(kerases, batch):
    x, y = batch
    model = compiled(kerases)
    loss = model.test_on_batch(x, y)[0]
    np.testing.assert_allclose(loss, exact_softmax(model, x, y).mean(), rtol=1e-5)


def test_several_outputs_with_a_head_each(kerases, batch):
    x, y = batch
    keras, ours = kerases.keras, kerases.ours
    inputs = keras.Input([D])
    hidden = keras.layers.Dense(16)(inputs)
    outputs = [ours.layers.SampledDense(n, name=f"head_{n}")(hidden) for n in (C, 2 * C)]
    model = keras.Model(inputs, outputs)
    model.compile(
        "adam",
        [ours.losses.SampledSoftmax(10), ours.losses.NCE(10)],
        loss_weights=[1.0, 0.1],
        metrics=[[ours.metrics.ExactMRR()], [ours.metrics.MeanRank()]],
    )
    history = model.fit(x, [y, 2 * y], validation_data=(x, [y, 2 * y]), verbose=0).history
    finite = {name for name, (value,) in history.items() if np.isfinite(value)}
    assert set(history) - finite == {"head_50_exact_mrr", "head_100_mean_rank"}
    first, second = model.predict(x, verbose=0)
    got = model.evaluate(x, [y, 2 * y], verbose=0, return_dict=True)
    exact = tf.nn.sparse_softmax_cross_entropy_with_logits(y, first)
    np.testing.assert_allclose(got["head_50_loss"], tf.reduce_mean(exact), rtol=1e-5)
    ranks = 1 + (second > second[np.arange(len(y)), 2 * y][:, None]).sum(axis=1)
    np.testing.assert_allclose(got["head_100_mean_rank"], ranks.mean(), rtol=1e-6)


def test_kerases_own_metrics_on_the_logits(kerases, batch):
    x, y = batch
    model = functional(kerases)
    model.compile("adam", kerases.ours.losses.SampledSoftmax(10), metrics=["accuracy"])
    history = model.fit(x, y, verbose=0).history
    assert 0 <= history["accuracy"][0] <= 1
    want = (logits_of(model, x).argmax(axis=1) == y).mean()
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0)[1], want, rtol=1e-6)


def test_keras_own_loss_trains_the_layer_too(kerases, batch):
    x, y = batch
    model = functional(kerases)
    model.compile("adam", kerases.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = values(model.trainable_weights)
    model.fit(x, y, verbose=0)
    assert all((a != b).any() for a, b in zip(values(model.trainable_weights), before))


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "function"])
def test_a_loop_of_ones_own(kerases, compile, batch):
    """If `training` is not passed, a recording gradient tape means training."""
    x, y = batch
    model, loss = functional(kerases), kerases.ours.losses.SampledSoftmax(10)

    def train(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x))
        return value, tape.gradient(value, model.trainable_weights)

    def evaluate(x, y):
        return loss(y, model(x))

    if compile:
        train, evaluate = tf.function(train), tf.function(evaluate)
    value, gradients = train(x, y)
    assert value < 3.0 and all(g is not None for g in gradients)
    np.testing.assert_allclose(evaluate(x, y), exact_softmax(model, x, y).mean(), rtol=1e-5)


def test_under_a_strategy(kerases, batch, two_replicas):
    x, y = batch
    with two_replicas.scope():
        model = subclass(kerases)()
        model.compile(
            "sgd",
            kerases.ours.losses.SampledSoftmax(10),
            metrics=[kerases.ours.metrics.ExactMRR()],
        )
    model.fit(x, y, batch_size=32, verbose=0)
    loss, mrr = model.evaluate(x, y, batch_size=32, verbose=0)
    np.testing.assert_allclose(loss, exact_softmax(model, x, y).mean(), rtol=1e-5)
    assert 0 < mrr < 1
