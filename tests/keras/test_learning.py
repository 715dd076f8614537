"""Models learn as well as with the full softmax, and in 16 bits as well as in 32."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import functional

CLASSES, DIM = 300, 8


def examples(count, seed):
    """Makes noisy pictures of classes, low ids more frequent; no model can classify all of them."""
    centres = np.random.RandomState(7).randn(CLASSES, DIM)
    r = np.random.RandomState(seed)
    labels = np.minimum(r.geometric(0.01, count) - 1, CLASSES - 1)
    return (centres[labels] + 0.5 * r.randn(count, DIM)).astype(np.float32), labels


TRAIN, HELD_OUT = examples(6000, 1), examples(1500, 2)


def held_out_loss(kerases, loss, seed, epochs):
    """Trains, and returns the held-out loss over all classes, from the logits."""
    kerases.keras.utils.set_random_seed(seed)
    model = functional(kerases, num_classes=CLASSES)
    rate = kerases.keras.optimizers.schedules.CosineDecay(0.02, 60 * epochs)
    model.compile(kerases.keras.optimizers.Adam(rate), loss)
    model.fit(*TRAIN, batch_size=100, epochs=epochs, verbose=0)
    logits = model.predict(HELD_OUT[0], batch_size=1500, verbose=0).astype(np.float32)
    return float(
        tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(HELD_OUT[1], logits))
    )


def test_sampled_softmax_learns_what_softmax_learns(kerases):
    full = kerases.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    want = held_out_loss(kerases, full, seed=0, epochs=10)
    got = held_out_loss(kerases, kerases.ours.losses.SampledSoftmax(150), seed=0, epochs=10)
    assert want < 0.3 * np.log(CLASSES), "little was learned"
    assert got < 1.04 * want, (got, want)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns_as_well(kerases, policy):
    def trained(policy):
        kerases.keras.mixed_precision.set_global_policy(policy)
        loss = kerases.ours.losses.SampledSoftmax(60)
        return [held_out_loss(kerases, loss, seed, epochs=2) for seed in range(3)]

    wide, narrow = trained("float32"), trained(policy)
    noise = np.std(wide, ddof=1) + 0.01 * np.mean(wide)
    assert abs(np.mean(narrow) - np.mean(wide)) < 2 * noise, (narrow, wide)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", ["SampledSoftmax", "NCE"])
def test_a_batch_of_nothing_but_accidental_hits(kerases, policy, name):
    """All classes are sampled, and all examples have the same class."""
    kerases.keras.mixed_precision.set_global_policy(policy)
    loss = getattr(kerases.ours.losses, name)(1, remove_accidental_hits=True, sampler="uniform")
    model = functional(kerases, num_classes=1)
    model.compile("adam", loss)
    history = model.fit(np.ones([8, DIM]), np.zeros([8]), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert np.isfinite(model.evaluate(np.ones([8, DIM]), np.zeros([8]), verbose=0))


def test_a_loss_beyond_float16(kerases):
    """Summed over many classes, NCE exceeds 65504, the largest float16."""
    kerases.keras.mixed_precision.set_global_policy("mixed_float16")
    model = functional(kerases, num_classes=120_000, kernel_initializer="zeros")
    model.compile("sgd", kerases.ours.losses.NCE(10))
    got = model.evaluate(np.ones([4, DIM]), np.zeros([4]), verbose=0)
    np.testing.assert_allclose(got, 120_000 * np.log(2), rtol=1e-4)
