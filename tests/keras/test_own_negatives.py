"""`SampledDense(...)(hidden, negatives=ids)`: each row has candidates of its own in training."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, N
from tests.problems import assert_close

S = 6
R = np.random.RandomState(0)
NEGATIVES = R.randint(0, C, [N, S])
FUNCTIONS = {
    "SampledSoftmax": tsc.nn.sampled_softmax_loss,
    "SampledSparseSoftmax": tsc.nn.sampled_softmax_loss,
    "NCE": tsc.nn.nce_loss,
    "SampledBinaryCrossentropy": tsc.nn.sampled_binary_crossentropy,
}


def head_of(kerases, **options):
    head = kerases.ours.layers.SampledDense(C, **options)
    head(np.zeros([1, D], np.float32))
    return head


def rows_of(function, head, hidden, labels, negatives, **options):
    """Returns the losses of rows, from a function of `tsc.nn`."""
    return function(
        head.kernel, head.bias, labels[:, np.newaxis], hidden, S, C,
        sampled_values=(negatives, 1.0, 1.0), **options)  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_the_losses_use_them(kerases, batch, name, jit_compile):
    """Whatever number of classes the loss draws in other batches."""
    (hidden, labels), head = batch, head_of(kerases)
    labels = np.where(np.arange(N) % 2, labels, NEGATIVES[:, 3])  # Accidental hits.
    loss = getattr(kerases.ours.losses, name)(3, remove_accidental_hits=True, reduction="none")

    @tf.function(jit_compile=jit_compile, autograph=False)
    def values(negatives):
        return loss(labels, head(hidden, training=True, negatives=negatives))

    expected = rows_of(
        FUNCTIONS[name], head, hidden, labels, NEGATIVES, remove_accidental_hits=True
    )
    assert_close(values(NEGATIVES), expected, 1e-5)


def model_of(kerases, **options):
    keras = kerases.keras
    features = keras.Input([D], name="features")
    negatives = keras.Input([S], dtype="int64", name="negatives")
    hidden = keras.layers.Dense(D, name="tower")(features)
    logits = kerases.ours.layers.SampledDense(C, name="head")(hidden, negatives=negatives)
    model = keras.Model({"features": features, "negatives": negatives}, logits)
    model.compile(keras.optimizers.SGD(0.0), kerases.ours.losses.SampledSoftmax(5))
    return model, keras.Model(features, hidden)


def as_arrays(x, y):
    return {"x": x, "y": y, "batch_size": 16}


def as_a_dataset(x, y):
    """From a column of y, as such data often comes."""
    data = tf.data.Dataset.from_tensor_slices(
        (x["features"], {"positive": y, "negatives": x["negatives"]})
    )
    return {
        "x": data.batch(16).map(
            lambda features, y: (
                {"features": features, "negatives": y["negatives"]},
                y["positive"],
            )
        )
    }


@pytest.mark.parametrize("data", [as_arrays, as_a_dataset])
def test_fit_uses_them_and_evaluate_is_exact(kerases, batch, data):
    features, labels = batch
    model, tower = model_of(kerases)
    given = data({"features": features, "negatives": NEGATIVES}, labels)
    history = model.fit(**given, verbose=0).history["loss"]
    hidden, head = tower(features), model.get_layer("head")
    expected = rows_of(tsc.nn.sampled_softmax_loss, head, hidden, labels, NEGATIVES)
    assert_close(history[0], np.mean(expected), 1e-5)
    exact = tsc.nn.full_softmax_loss(head.kernel, head.bias, labels[:, np.newaxis], hidden)
    assert_close(model.evaluate(**given, verbose=0), np.mean(exact), 1e-5)


def test_a_saved_model_has_the_input(kerases, batch, tmp_path):
    features, labels = batch
    model, _ = model_of(kerases)
    model.save(tmp_path / "model.keras")
    again = kerases.keras.models.load_model(tmp_path / "model.keras")
    given = {"x": {"features": features, "negatives": NEGATIVES}, "y": labels, "verbose": 0}
    assert_close(again.evaluate(**given), model.evaluate(**given), 1e-6)
    assert_close(again.fit(**given).history["loss"], model.fit(**given).history["loss"], 1e-6)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_time_steps_and_rows_that_are_left_out(kerases, jit_compile):
    """The negatives go with their rows, whichever are left."""
    head = head_of(kerases)
    hidden = R.randn(4, 3, D).astype(np.float32)
    negatives = R.randint(0, C, [4, 3, S])
    labels = R.randint(0, C, [4, 3])
    labels[1, 2] = -1
    weights = np.ones([4, 3], np.float32)
    weights[2, 0] = 0
    loss = kerases.ours.losses.SampledSoftmax(5, padding_label=-1, reduction="none")

    @tf.function(jit_compile=jit_compile, autograph=False)
    def values():
        return loss(labels, head(hidden, training=True, negatives=negatives), weights)

    there = (labels >= 0) & (weights > 0)
    expected = np.zeros([4, 3])
    expected[there] = rows_of(
        tsc.nn.sampled_softmax_loss, head, hidden[there], labels[there], negatives[there]
    )
    assert_close(values(), expected, 1e-5)


def test_exclude_true_adjusts_no_counts(kerases, batch):
    """They are unknown, so leaving out a class that is no candidate changes nothing."""
    (hidden, labels), head = batch, head_of(kerases)
    negatives = NEGATIVES.copy()
    negatives[0] = labels[0]
    negatives[1, :3] = labels[1]
    output = head(hidden, training=True, negatives=negatives)
    losses = kerases.ours.losses
    plain, excluding = (
        loss(labels, output).numpy()
        for loss in (
            losses.SampledSoftmax(S, reduction="none"),
            losses.SampledSoftmax(S, reduction="none", exclude_true=True),
        )
    )
    without = ~(negatives == labels[:, np.newaxis]).any(axis=1)
    assert without.sum() > N // 2
    assert_close(excluding[without], plain[without], 1e-6)
    assert excluding[0] == 0 and plain[0] > 0
    left = negatives[1:2, 3:]
    expected = tsc.nn.sampled_softmax_loss(
        head.kernel, head.bias, labels[1:2, np.newaxis], hidden[1:2], 3, C,
        sampled_values=(left, 1.0, 1.0))  # fmt: skip
    assert_close(excluding[1:2], expected, 1e-5)


BAD = {
    "floats": ({"negatives": NEGATIVES.astype("f")}, TypeError, r"negatives: expected \[..., num_"),
    "rows": ({"negatives": NEGATIVES[1:]}, ValueError, r"for the shape|got int64 \(63, 6\) for"),
    "rank": ({"negatives": NEGATIVES[0]}, ValueError, r"negatives: expected .* got int64 \(6,\)"),
    "no class": ({"negatives": NEGATIVES + C}, ValueError, r"expected class ids in \[0, 50\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_negatives(kerases, batch, name):
    changes, error, words = BAD[name]
    hidden, labels = batch
    with pytest.raises(error, match=words):
        output = head_of(kerases)(hidden, training=True, **changes)
        kerases.ours.losses.SampledSoftmax(5)(labels, output)


def test_tapas_refuses_them(kerases, batch):
    hidden, labels = batch
    output = head_of(kerases)(hidden, training=True, negatives=NEGATIVES)
    with pytest.raises(ValueError, match="negatives: expected none, as RankSampledSoftmax"):
        kerases.ours.losses.RankSampledSoftmax(6, 3)(labels, output)
