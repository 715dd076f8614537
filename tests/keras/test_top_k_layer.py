"""The layer `TopK`, and `SampledDense.top_k` with classes left out."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import C, D, functional, head_of, logits_of
from tests.problems import assert_close

K = 5
SEEN = np.random.RandomState(7).randint(-1, C, (64, 4))


def ranking(logits, exclude=None, allowed=range(C)):
    """Returns the ids of the K best classes by NumPy."""
    logits = np.array(logits)
    logits[:, [c for c in range(C) if c not in set(allowed)]] = -np.inf
    for row, ids in zip(logits, exclude if exclude is not None else ()):
        row[[c for c in ids if 0 <= c < C]] = -np.inf
    return np.argsort(-logits, axis=1, kind="stable")[:, :K]


def served(kerases, model, **options):
    """Makes a model of inputs and seen classes that returns the K best of another model's head."""
    head = head_of(model)
    seen = kerases.keras.Input([None], dtype="int64", name="seen")
    found = kerases.ours.layers.TopK(head, K, name="best", **options)(head.input, exclude=seen)
    return kerases.keras.Model([model.input, seen], list(found))


def test_a_trained_model_serves(kerases, batch):
    """The layer shares the head's weights, before and after a step."""
    x, y = batch
    model = functional(kerases)
    server = served(kerases, model)
    model.compile("adam", kerases.ours.losses.SampledSoftmax(10))
    for _ in range(2):
        logits, ids = server.predict([x, SEEN], verbose=0)
        want = logits_of(model, x)
        assert np.array_equal(ids, ranking(want, SEEN))
        assert_close(logits, np.take_along_axis(want, ids, 1))
        model.fit(x, y, verbose=0)
    assert len(server.weights) == len(model.weights)


def test_layer_and_method_are_one(kerases, batch):
    hidden = tf.constant(batch[0])
    head = kerases.ours.layers.SampledDense(C, bias_initializer="random_normal")
    layer = kerases.ours.layers.TopK(head, K)
    for options in ({}, {"exclude": SEEN}, {"allowed": [4, 9, 1]}):
        for got, want in zip(layer(hidden, **options), head.top_k(hidden, K, **options)):
            assert np.array_equal(got, want)
    assert head.built


@pytest.mark.parametrize("options", [{"allowed": [1, 7, 30, 31, 32, 33]}, {"padding_label": 3}])
def test_options_are_saved(kerases, options, batch, tmp_path):
    x = batch[0]
    model = functional(kerases)
    server = served(kerases, model, **options)
    padded = [[c for c in row if c != options.get("padding_label")] for row in SEEN]
    want = ranking(logits_of(model, x), padded, options.get("allowed", range(C)))
    server.save(tmp_path / "server.keras")
    again = kerases.keras.models.load_model(tmp_path / "server.keras")
    for either in (server, again):
        logits, ids = either.predict([x, SEEN], verbose=0)
        assert np.array_equal(np.where(logits == -np.inf, -1, want), ids)
    assert again.get_layer("best").get_config()["k"] == K
    assert len(again.weights) == len(server.weights)


def test_a_mask_is_a_list_in_the_config(kerases, batch):
    head = kerases.ours.layers.SampledDense(C)
    mask = np.arange(C) % 3 == 0
    layer = kerases.ours.layers.TopK(head, K, allowed=mask)
    _, ids = layer(batch[0])
    assert np.all(ids % 3 == 0)
    assert layer.get_config()["allowed"] == list(range(0, C, 3))
    _, ids = layer(batch[0], allowed=~mask)  # The call's replaces the layer's.
    assert np.all(ids % 3 != 0)


@pytest.mark.parametrize("first", ["head", "layer"])
@pytest.mark.parametrize("copied", ["loaded", "cloned"])
def test_a_copy_that_trains_and_serves_has_one_head(kerases, copied, first, batch, tmp_path):
    """Whichever layer the copy calls first."""
    if (kerases.name, copied, first) == ("tf_keras", "loaded", "layer"):
        pytest.skip("tf_keras files share no objects, and it makes a layer's weights before a call")
    x = batch[0]
    model = functional(kerases)
    outputs = list(kerases.ours.layers.TopK(head_of(model), K)(head_of(model).input))
    outputs.insert(0 if first == "head" else 2, model.output)
    both = kerases.keras.Model(model.input, outputs)
    if copied == "loaded":
        both.save(tmp_path / "both.keras")
        copy = kerases.keras.models.load_model(tmp_path / "both.keras")
    else:
        copy = kerases.keras.models.clone_model(both)
        copy.set_weights(both.get_weights())
    assert len(copy.weights) == len(both.weights) == len(model.weights)
    copy.save(tmp_path / "again.keras")
    for _ in range(2):
        values = copy.predict(x, verbose=0)
        logits = next(value for value in values if value.shape[1] == C)
        ids = next(value for value in values if value.dtype == np.int64)
        assert np.array_equal(ids, ranking(logits))
        head_of(copy)._kernel.assign_add(np.random.RandomState(0).randn(C, 16))
    again = kerases.keras.models.load_model(tmp_path / "again.keras")
    for got, want in zip(again.predict(x, verbose=0), both.predict(x, verbose=0)):
        assert_close(got, want)


def test_a_tied_head(kerases, tmp_path):
    keras, ours = kerases.keras, kerases.ours
    words = keras.layers.Embedding(C, 16, name="words")
    tokens = keras.Input([5], dtype="int32")
    hidden = keras.layers.GlobalAveragePooling1D()(words(tokens))
    head = ours.layers.SampledDense(C, kernel=words, name="head")
    model = keras.Model(tokens, list(ours.layers.TopK(head, K)(hidden)))
    model.save(tmp_path / "tied.keras")
    again = keras.models.load_model(tmp_path / "tied.keras")
    x = np.random.RandomState(0).randint(0, C, (9, 5))
    for got, want in zip(again.predict(x, verbose=0), model.predict(x, verbose=0)):
        assert np.array_equal(got, want)
    assert [tuple(w.shape) for w in again.weights] == [(C, 16), (C,)]


def test_time_steps(kerases, batch):
    hidden = tf.reshape(batch[0], [4, 16, D])
    head = kerases.ours.layers.SampledDense(C)
    logits = np.reshape(head(hidden), [64, C])
    own = tf.reshape(SEEN, [4, 16, 4])
    shared = SEEN[:4].reshape([4, 1, 4])  # one list for the steps of a row
    for exclude, rows in (
        (own, SEEN),
        (shared, np.repeat(SEEN[:4], 16, axis=0)),
        (SEEN[0], [SEEN[0]] * 64),
    ):
        values, ids = head.top_k(hidden, K, exclude)
        assert values.shape == ids.shape == [4, 16, K]
        assert np.array_equal(np.reshape(ids, [64, K]), ranking(logits, rows))
    with pytest.raises(ValueError, match=r"exclude: expected class ids of shape \[..., n\]"):
        head.top_k(hidden, K, SEEN)


def test_one_example(kerases):
    head = kerases.ours.layers.SampledDense(C)
    head.build((None, D))
    logits, ids = head.top_k(tf.ones([D]), K, exclude=[4, 9])
    assert logits.shape == ids.shape == [K]
    assert not set(ids.numpy()) & {4, 9}


def test_mixed_precision(kerases, batch):
    kerases.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    server = served(kerases, functional(kerases))
    logits, ids = server.predict([batch[0], SEEN], verbose=0)
    assert logits.shape == ids.shape == (64, K) and ids.dtype == np.int64


def test_masked_steps_stop_at_the_layer(kerases):
    keras, ours = kerases.keras, kerases.ours
    tokens = keras.Input([5], dtype="int32")
    hidden = keras.layers.Embedding(C, 8, mask_zero=True)(tokens)
    found = ours.layers.TopK(ours.layers.SampledDense(C), K)(hidden)
    assert all(getattr(tensor, "_keras_mask", None) is None for tensor in found)
    assert keras.Model(tokens, list(found)).predict(np.zeros([2, 5]), verbose=0)[1].shape == (
        2,
        5,
        K,
    )


def test_errors(kerases, batch):
    keras, ours = kerases.keras, kerases.ours
    head = ours.layers.SampledDense(C)
    with pytest.raises(TypeError, match="head: expected a SampledDense layer"):
        ours.layers.TopK(keras.layers.Dense(C))
    with pytest.raises(ValueError, match=f"k: expected at most {C}, the number of classes"):
        ours.layers.TopK(head, C + 1)
    with pytest.raises(ValueError, match=r"allowed: expected a value for each class \(50\)"):
        ours.layers.TopK(head, K, allowed=np.ones(C - 1, bool))
    with pytest.raises(ValueError, match="allowed: expected integer class ids"):
        ours.layers.TopK(head, K, allowed=[0.5])
    head.build((None, D))
    with pytest.raises(TypeError, match=r"hidden: expected a tensor. .* the layer TopK\(head, k\)"):
        head.top_k(keras.Input([D]), K)
