"""NaN and where it came from."""

import numpy as np
import pytest
import tensorflow as tf

from tests.diagnose.conftest import D, inputs, model_of, probing, zipf
from tests.keras.conftest import head_of
from tf_sampled_compat.diagnose import inputs as looking
from tf_sampled_compat.diagnose import nonfinite
from tf_sampled_compat.diagnose.stopwatch import Stopwatch

C = 500
X, Y = inputs(64), zipf(C, 64)


def found(kerases, model, x=X):
    with probing(kerases, model, x, Y) as probe:
        [finding] = nonfinite.findings(probe)
    return finding


def with_layer(kerases, function):
    """A model whose second layer is a function of the hidden numbers."""
    keras, ours = kerases.keras, kerases.ours
    x = keras.Input([D])
    hidden = keras.layers.Dense(16, name="hidden")(x)
    hidden = keras.layers.Lambda(function, output_shape=(16,), name="culprit")(hidden)
    hidden = keras.layers.Dense(16, name="after")(hidden)
    model = keras.Model(x, ours.layers.SampledDense(C, name="head")(hidden))
    model.compile("sgd", ours.losses.SampledSoftmax(64))
    return model


def test_a_healthy_model(kerases):
    assert found(kerases, model_of(kerases)).severity == "ok"


def test_an_input(kerases):
    x = np.array(X)
    x[0, :3] = np.nan
    finding = found(kerases, model_of(kerases), x)
    assert finding.severity == "error" and "3 of 512 numbers of x (64 rows)" in finding.seen
    assert "the first is in row 0" in finding.seen


@pytest.mark.parametrize("row", [1, 61])
def test_an_input_that_is_not_in_the_batch(kerases, row, monkeypatch):
    """All of x is looked at, in pieces, and not only the rows that are probed."""
    monkeypatch.setattr(looking, "MOST_NUMBERS", 5 * D)
    x = np.array(X)
    x[[row, 62], 2] = np.inf
    with probing(kerases, model_of(kerases), x, Y, batch_size=2) as probe:
        assert np.all(np.isfinite(probe.data.x)), "the batch is clean"
        [finding] = nonfinite.findings(probe)
    assert finding.severity == "error" and "2 of 512 numbers of x (64 rows)" in finding.seen
    assert f"the first is in row {row}" in finding.seen
    assert finding.figures == {"inputs": 2.0, "rows": 64.0}


def test_the_batches_that_are_read_of_a_dataset(kerases):
    x = np.array(X)
    x[50, 2] = np.nan
    data = tf.data.Dataset.from_tensor_slices((x, Y)).batch(8)
    with probing(kerases, model_of(kerases), data, None) as probe:
        [finding] = nonfinite.findings(probe)
    assert "1 of 512 numbers of x (64 rows)" in finding.seen and "row 50" in finding.seen


def test_the_finding_says_how_many_rows_were_looked_at(kerases, monkeypatch):
    monkeypatch.setattr(looking, "MOST_NUMBERS", 5 * D)
    watch = Stopwatch(1e9)
    watch.share = lambda share: lambda: True
    for bad, seen in ((1, "8 of 40 numbers of x (the first 5 of 64 rows)"), (7, "the first 5 of")):
        x = np.array(X)
        x[bad] = np.nan
        with probing(kerases, model_of(kerases), x, Y, watch, batch_size=2) as probe:
            [finding] = nonfinite.findings(probe)
        assert seen in finding.seen and finding.severity == ("error" if bad == 1 else "ok")


@pytest.mark.parametrize("kind", ["dictionary", "ragged", "sparse", "frame", "bfloat16"])
def test_inputs_of_every_kind(kind):
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    values[4, 1] = np.nan
    other = np.ones([6, 3], np.float32)
    x = {
        "dictionary": {"a": other, "b": values},
        "ragged": tf.RaggedTensor.from_row_splits(values[:, 1], [0, 1, 1, 4, 4, 6, 6]),
        "sparse": tf.sparse.from_dense(values),
        "frame": values,
        "bfloat16": tf.cast(values, tf.bfloat16),
    }[kind]
    if kind == "frame":
        x = pytest.importorskip("pandas").DataFrame(values)
    seen = looking.Inputs()
    for piece in looking.pieces(x):
        seen.add(piece)
    assert seen.rows == 6 and seen.seen[-1].bad == 1
    assert seen.seen[-1].first == 4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_weight(kerases, bad):
    model = model_of(kerases)
    kernel, bias = head_of(model).get_weights()
    kernel[7, :2] = bad
    head_of(model).set_weights([kernel, bias])
    finding = found(kerases, model)
    assert finding.severity == "error" and "head" in finding.seen and "kernel" in finding.seen
    assert "has 2 numbers" in finding.seen


def test_a_layer(kerases):
    finding = found(kerases, with_layer(kerases, lambda h: tf.math.log(h - 1e9)))
    assert finding.severity == "error" and "'culprit'" in finding.seen
    assert "nan" in finding.cost


def test_a_gradient(kerases):
    """The root of zero is zero, and its gradient is infinite."""
    finding = found(kerases, with_layer(kerases, lambda h: tf.sqrt(tf.nn.relu(h - 1e9))))
    assert finding.severity == "error" and "is finite, the gradient of" in finding.seen
    assert "hidden" in finding.seen


def test_the_loss(kerases):
    class Diverged(kerases.ours.losses.SampledSoftmax):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return super().__call__(y_true, y_pred, sample_weight) * float("inf")

    loss = Diverged(64)
    finding = found(kerases, model_of(kerases, loss=loss))
    assert finding.severity == "error" and "expected counts" in finding.way_out


def test_layers_are_as_before(kerases):
    model = with_layer(kerases, lambda h: tf.math.log(h - 1e9))
    found(kerases, model)
    assert not [layer.name for layer in model.layers if "call" in vars(layer)]
