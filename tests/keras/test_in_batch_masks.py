"""Rows that are masked or weigh nothing are neither queries nor candidates of two towers."""

import numpy as np
import pytest

import tf_sampled_compat as tsc
from tests.keras.towers import (
    DIM,
    ITEMS,
    LEARNED,
    I,
    N,
    R,
    U,
    compiled,
    expected,
    frequencies,
)  # fmt: skip


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_row_of_weight_zero_is_no_candidate(kerases, jit_compile):
    sampler = frequencies()
    made = compiled(kerases, frequencies=sampler, jit_compile=jit_compile)
    made.model.optimizer.learning_rate = 0.0
    weights = np.where(np.arange(N) % 3 == 0, 0.0, 1.0 + np.arange(N) % 2).astype("f")
    rows = np.arange(16)
    chance = LEARNED[I[rows]].astype("f")
    losses = expected(made, rows, weights[rows], candidate_sampling_probability=chance)
    wanted = (losses * weights[rows]).sum() / 16
    for given in (weights[:16], weights[:16, None]):
        made.model.compile(
            "sgd", kerases.ours.losses.InBatchSoftmax(), jit_compile=jit_compile
        )  # A step that Keras 3 has compiled takes weights of one rank.
        made.model.optimizer.learning_rate = 0.0
        got = made.model.evaluate([U[:16], I[:16]], I[:16], sample_weight=given, verbose=0)
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
    made.model.fit([U, I], I, sample_weight=weights[:, None], batch_size=16, verbose=0)
    learned = np.bincount(I[weights != 0], minlength=ITEMS)
    np.testing.assert_array_equal(sampler.counts(), LEARNED + learned)


def sequences(kerases, **options):
    """A sequence model: each step's query is trained on the step's item."""
    keras = kerases.keras
    history, item = keras.Input([5], dtype="int32"), keras.Input([5], dtype="int32")
    queries = keras.layers.Embedding(ITEMS, DIM, mask_zero=True)(history)
    queries = keras.layers.GRU(DIM, return_sequences=True)(queries)
    candidates = keras.layers.Embedding(ITEMS, DIM)(item)
    logits = kerases.ours.layers.InBatchLogits(**options)(queries, candidates, item)
    outputs = keras.Model([history, item], [queries, candidates])
    return keras.Model([history, item], logits), outputs


@pytest.mark.parametrize("how", ["graph", "eager", "xla"])
def test_masked_steps_are_neither_queries_nor_candidates(kerases, how):
    if how == "xla" and not kerases.is_3:
        pytest.skip("Keras 2's GRU has a loop that XLA refuses")
    options = {"graph": {}, "eager": {"run_eagerly": True}, "xla": {"jit_compile": True}}[how]
    sampler = frequencies()
    model, outputs = sequences(kerases, frequencies=sampler)
    model.compile("sgd", kerases.ours.losses.InBatchSoftmax(), **options)
    model.optimizer.learning_rate = 0.0
    history = R.randint(1, ITEMS, [12, 5]) * (np.arange(5) < R.randint(1, 6, [12, 1]))
    item, mask = R.randint(0, ITEMS, [12, 5]), history != 0
    queries, candidates = (np.reshape(x, [60, DIM]) for x in outputs([history, item]))
    loss = tsc.nn.in_batch_softmax_loss(
        queries, candidates, item.ravel(), LEARNED[item.ravel()].astype("f"), mask=mask.ravel()
    ).numpy()
    wanted = loss.sum() / mask.sum()  # Keras's mean over the steps that are not masked
    got = model.evaluate([history, item], item, batch_size=12, verbose=0)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    fitted = model.fit([history, item], item, batch_size=12, verbose=0).history["loss"]
    np.testing.assert_allclose(fitted, wanted, rtol=1e-5)
    learned = np.bincount(item[mask], minlength=ITEMS)
    np.testing.assert_array_equal(sampler.counts(), LEARNED + learned)
