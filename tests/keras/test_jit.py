"""Models compiled by XLA, trained with each loss and each sampler."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import MODELS, C, exact_softmax, functional, head_of, values

SAMPLERS = {
    "log_uniform": lambda: "log_uniform",
    "uniform": lambda: "uniform",
    "learned_unigram": lambda: "learned_unigram",
    "fixed_unigram": lambda: {"name": "fixed_unigram", "unigrams": list(range(1, C + 1))},
    "object": lambda: tsc.random.LearnedUnigramSampler(C, seed=1),
}


def losses(kerases, **options):
    ours = kerases.ours.losses
    return {
        "SampledSoftmax": lambda: ours.SampledSoftmax(10, **options),
        "NCE": lambda: ours.NCE(10, **options),
        "RankSampledSoftmax": lambda: ours.RankSampledSoftmax(20, 10, **options),
        "SampledSparseSoftmax": lambda: ours.SampledSparseSoftmax(10, **options),
    }


def trained(kerases, loss, batch, **options):
    """Trains a compiled model for an epoch, in which kernel and bias change, and returns it."""
    x, y = batch
    model = functional(kerases)
    optimizer = kerases.ours.optimizers.LazyAdam(1e-2)
    model.compile(optimizer, loss, jit_compile=True, **options)
    before = values(head_of(model).weights)
    history = model.fit(x, y, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    after = values(head_of(model).weights)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(after, before))
    return model


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_sampler_trains(kerases, sampler, batch):
    loss = losses(kerases, sampler=SAMPLERS[sampler]())["SampledSoftmax"]()
    assert trained(kerases, loss, batch).jit_compile is True


@pytest.mark.parametrize("loss", ["NCE", "RankSampledSoftmax", "SampledSparseSoftmax"])
def test_each_loss_trains_with_its_own_sampler(kerases, loss, batch):
    trained(kerases, losses(kerases)[loss](), batch)


def test_evaluation_is_exact(kerases, batch):
    x, y = batch
    metrics = [kerases.ours.metrics.ExactRecallAtK(5), kerases.ours.metrics.MeanRank()]
    model = trained(kerases, losses(kerases)["SampledSoftmax"](), batch, metrics=metrics)
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(results["loss"], exact_softmax(model, x, y).mean(), rtol=1e-5)
    assert 0 <= results["exact_recall_at_5"] <= 1 <= results["mean_rank"] <= C


def test_steps_draw_other_candidates_and_a_seed_the_same(kerases, batch):
    def first_losses(seed):
        x, y = batch
        model = functional(kerases)
        model.set_weights([np.ones(w.shape, "f") for w in model.get_weights()])
        # Without learning, only the draws differ between the steps.
        model.compile("sgd", kerases.ours.losses.SampledSoftmax(5, seed=seed), jit_compile=True)
        model.optimizer.learning_rate = 0.0
        return [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(3)]

    one, again = first_losses(3), first_losses(3)
    assert one == again
    assert len(set(one)) > 1


def test_the_own_learner_learns(kerases, batch):
    loss = losses(kerases)["RankSampledSoftmax"]()
    trained(kerases, loss, batch)
    (learner,) = loss._learners.values()
    assert int(tf.reduce_sum(learner.counts())) == C + len(batch[1])


@pytest.mark.parametrize("kind", MODELS)
def test_auto_compiles_where_there_is_a_gpu(kerases, kind, monkeypatch):
    if not kerases.is_3:
        pytest.skip('only Keras 3 has jit_compile="auto"')
    devices = [*tf.config.list_physical_devices(), tf.config.PhysicalDevice("GPU:0", "GPU")]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda *a: devices)
    model = MODELS[kind](kerases)
    model.compile("sgd", losses(kerases)["SampledSoftmax"]())
    assert model.jit_compile is True
