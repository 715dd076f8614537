"""Two towers in Keras: `InBatchLogits` and `InBatchSoftmax` in fit and evaluate."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.executed import executed_in
from tests.keras.towers import (
    DIM,
    ITEMS,
    KINDS,
    LEARNED,
    USERS,
    I,
    N,
    U,
    batches,
    compiled,
    expected,
    frequencies,
    of,
    towers,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_evaluate_is_the_mean_of_the_functions_losses(kerases, kind, run_eagerly):
    make, options = KINDS[kind]
    made = compiled(kerases, run_eagerly=run_eagerly, **make())
    losses = np.concatenate([expected(made, rows, **of(rows, options)) for rows in batches()])
    got = made.model.evaluate([U, I], I, batch_size=16, verbose=0)
    np.testing.assert_allclose(got, losses.mean(), rtol=1e-5)
    # Evaluation teaches nothing, so it can be repeated.
    assert made.model.evaluate([U, I], np.zeros(N), batch_size=16, verbose=0) == got


@pytest.mark.parametrize("how", ["graph", "eager", "xla"])
def test_fit_trains_and_learns_after_reading(kerases, how):
    options = {"graph": {}, "eager": {"run_eagerly": True}, "xla": {"jit_compile": True}}[how]
    sampler = frequencies()
    made = compiled(kerases, frequencies=sampler, **options)
    made.model.optimizer.learning_rate = 0.0  # so that the losses of all steps are known
    history = made.model.fit([U, I], I, batch_size=16, shuffle=False, verbose=0)
    counts, losses = LEARNED.copy(), []
    for rows in batches():
        chance = counts[I[rows]].astype("f")
        losses.append(expected(made, rows, candidate_sampling_probability=chance))
        counts += np.bincount(I[rows], minlength=ITEMS)
    np.testing.assert_allclose(history.history["loss"], np.concatenate(losses).mean(), rtol=1e-5)
    np.testing.assert_array_equal(sampler.counts(), counts)


def test_the_logits_are_what_kerass_own_loss_needs(kerases):
    made = towers(kerases, frequencies=LEARNED, temperature=0.5)
    rows = np.arange(16)
    logits = made.model([U[rows], I[rows]])
    assert logits.shape == (16, 16)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(rows, logits)
    chance = LEARNED[I[rows]].astype("f")
    wanted = expected(made, rows, candidate_sampling_probability=chance, temperature=0.5)
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(kerases, policy):
    kerases.keras.mixed_precision.set_global_policy(policy)
    made = compiled(kerases, frequencies=frequencies(), temperature=0.1)
    rows = np.arange(16)
    chance = LEARNED[I[rows]].astype("f")
    queries, candidates = made.outputs([U[rows], I[rows]])
    wanted = tsc.nn.in_batch_softmax_loss(
        tf.cast(queries, "float32"), tf.cast(candidates, "float32"), I[rows], chance,
        temperature=0.1,
    )  # fmt: skip
    got = made.model.evaluate([U[rows], I[rows]], rows, batch_size=16, verbose=0)
    np.testing.assert_allclose(got, np.mean(wanted), rtol=2e-2)
    history = made.model.fit([U, I], I, epochs=3, batch_size=16, verbose=0).history["loss"]
    assert np.isfinite(history).all()


@pytest.mark.parametrize("way", ["fit", "evaluate"])
def test_logits_are_pruned_if_no_metric_needs_them(kerases, way):
    data = tf.data.Dataset.from_tensors(((U, I), np.arange(N)))

    def run(**options):
        model = compiled(kerases, frequencies=frequencies(), **options).model
        return executed_in("pairs", lambda: getattr(model, way)(data, verbose=0))

    assert not run() & {"MatMul", "BatchMatMulV2", "_FusedMatMul"}
    seen = run(metrics=["sparse_categorical_accuracy"])
    assert any("MatMul" in op for op in seen), sorted(seen)


def drawing(kerases, frequencies):
    """Subclassed towers that draw extra items in `call`."""
    keras, ours = kerases.keras, kerases.ours

    class Drawing(keras.Model):
        def __init__(self):
            super().__init__()
            self.user = keras.layers.Embedding(USERS, DIM)
            self.item = keras.layers.Embedding(ITEMS, DIM)
            self.pairs = ours.layers.InBatchLogits(frequencies=frequencies)

        def call(self, inputs, training=None):
            users, items = inputs
            drawn, *counts = tsc.random.uniform_candidate_sampler(
                items[:, None], 1, 6, True, ITEMS, seed=3
            )
            return self.pairs(
                self.user(users), self.item(items), items, extra_candidates=self.item(drawn),
                extra_ids=drawn, extra_expected_counts=counts, training=training,
            )  # fmt: skip

    return Drawing()


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_extra_candidates(kerases, run_eagerly):
    model = drawing(kerases, LEARNED)
    adam = kerases.keras.optimizers.Adam(0.05)
    model.compile(adam, kerases.ours.losses.InBatchSoftmax(), run_eagerly=run_eagerly)
    users, items = tf.constant(U), tf.constant(I, tf.int64)
    assert model((users, items)).shape == (N, N + 6)
    before = model.evaluate((users, items), items, batch_size=16, verbose=0)
    model.fit((users, items), items, batch_size=16, epochs=20, verbose=0)
    assert model.evaluate((users, items), items, batch_size=16, verbose=0) < before - 0.5


def test_several_outputs(kerases):
    keras = kerases.keras
    made = towers(kerases)
    user, item = made.model.inputs
    rating = keras.layers.Dense(1, name="rating")(made.outputs.outputs[0])
    model = keras.Model([user, item], {"pairs": made.model.outputs[0], "rating": rating})
    losses = {"pairs": kerases.ours.losses.InBatchSoftmax(), "rating": "mse"}
    model.compile("sgd", losses, loss_weights={"pairs": 1.0, "rating": 0.0})
    y = {"pairs": I, "rating": np.ones([N, 1], "f")}
    got = model.evaluate([U, I], y, batch_size=16, verbose=0, return_dict=True)
    wanted = np.concatenate([expected(made, rows) for rows in batches()]).mean()
    np.testing.assert_allclose(got["loss"], wanted, rtol=1e-5)
    assert np.isfinite(model.fit([U, I], y, verbose=0).history["loss"][0])


def test_words_for_mistakes(kerases):
    ours, keras = kerases.ours, kerases.keras
    dense = keras.Sequential([keras.layers.Dense(3)])
    dense.compile("sgd", ours.losses.InBatchSoftmax(), run_eagerly=True)
    with pytest.raises(ValueError, match=r"InBatchSoftmax: expected .* InBatchLogits layer"):
        dense.fit(np.ones([4, 2]), np.ones(4), verbose=0)
    made = towers(kerases)
    made.model.compile("sgd", ours.losses.SampledSoftmax(4), run_eagerly=True)
    with pytest.raises(ValueError, match="SampledDense"):
        made.model.fit([U, I], I, verbose=0)
    for options, words in (
        ({"temperature": 0.0}, "temperature: expected a positive"),
        ({"frequencies": "learned"}, "frequencies: expected a LearnedUnigramSampler"),
        ({"frequencies": [1.0, -1.0]}, "frequencies: expected .* not negative"),
    ):
        with pytest.raises(ValueError, match=words):
            ours.layers.InBatchLogits(**options)
    queries = tf.ones([4, 3])
    with pytest.raises(ValueError, match="candidates: expected as many rows as queries"):
        ours.layers.InBatchLogits()(queries, tf.ones([5, 3]))
    with pytest.raises(ValueError, match="candidate_ids: expected integers or strings"):
        ours.layers.InBatchLogits()(queries, queries, tf.ones([4]))
    symbolic = keras.Input([3])
    with pytest.raises(ValueError, match="candidate_ids: expected integers or strings"):
        ours.layers.InBatchLogits()(symbolic, symbolic, keras.Input([]))


def test_towers_learn_and_beat_chance(kerases):
    """Each user likes the items of a group; the held-out pairs rank far above chance."""
    users, items, groups = 200, 100, 10
    r = np.random.RandomState(1)
    popularity = 1.0 / (1 + np.arange(items) // groups)
    user = np.repeat(np.arange(users), 12)
    weight = np.where(np.arange(items) % groups == np.arange(users)[:, None] % groups, 1, 0)
    weight = weight * popularity
    item = np.array([r.choice(items, p=weight[u] / weight[u].sum()) for u in user])
    order = r.permutation(len(user))
    train, test = order[:2000], order[2000:]
    keras = kerases.keras
    keras.utils.set_random_seed(0)
    user_in, item_in = keras.Input([], dtype="int32"), keras.Input([], dtype="int32")
    queries = keras.Sequential([keras.layers.Embedding(users, 16), keras.layers.Dense(8)])
    candidates = keras.Sequential([keras.layers.Embedding(items, 16), keras.layers.Dense(8)])
    counts = np.bincount(item[train], minlength=items) + 1
    logits = kerases.ours.layers.InBatchLogits(frequencies=counts)(
        queries(user_in), candidates(item_in), item_in
    )
    model = keras.Model([user_in, item_in], logits)
    model.compile(keras.optimizers.Adam(0.02), kerases.ours.losses.InBatchSoftmax())
    model.fit([user[train], item[train]], item[train], batch_size=64, epochs=8, verbose=0)
    table = candidates(np.arange(items))
    _, found = tsc.nn.full_top_k(table, tf.zeros([items]), queries(user[test]), k=10)
    recall = (found.numpy() == item[test, None]).any(axis=1).mean()
    assert recall > 0.8  # chance is 0.1
