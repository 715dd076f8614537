"""`FullSoftmax`: the softmax loss over all classes in training, and in evaluation."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, functional, head_of, logits_of
from tests.problems import assert_close

SCALING = {"normalize": True, "temperature": 0.2}
TERMS = {"margin": tsc.margins.ArcFace(0.3), "label_smoothing": 0.1, "z_loss": 0.01}


def of_head(kerases, loss, **scaling):
    """Returns a compiled model of a head alone, with biases that are not zero."""
    keras = kerases.keras
    head = kerases.ours.layers.SampledDense(C, bias_initializer="random_normal", **scaling)
    model = keras.Sequential([keras.Input([D]), head])
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize("implementation", ["fused", "composite"])
def test_training_and_evaluation(kerases, batch, implementation):
    """In evaluation there is no margin and no z-loss, as in the sampled losses."""
    loss = kerases.ours.losses.FullSoftmax(implementation=implementation, **TERMS)
    model, (x, y) = of_head(kerases, loss, **SCALING), batch
    tables = [tf.convert_to_tensor(weight) for weight in model.get_weights()]
    options = {**SCALING, "label_smoothing": 0.1}
    exact = tsc.nn.full_softmax_loss(*tables, y[:, None], x, **options)
    wanted = tsc.nn.full_softmax_loss(*tables, y[:, None], x, **SCALING, **TERMS)
    assert_close(model.evaluate(x, y, verbose=0), tf.reduce_mean(exact), 1e-5)
    assert_close(model.train_on_batch(x, y), tf.reduce_mean(wanted), 1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_step_is_that_of_keras_over_a_dense_layer(kerases, batch, smoothing, jit_compile):
    keras, (x, y) = kerases.keras, batch
    ours = functional(kerases)
    ours.compile("sgd", kerases.ours.losses.FullSoftmax(label_smoothing=smoothing),
                 jit_compile=jit_compile)  # fmt: skip
    hidden = keras.layers.Dense(16, activation="relu")
    inputs = keras.Input([D])
    stock = keras.Model(inputs, head_of(ours).to_dense()(hidden(inputs)))
    hidden.set_weights(ours.layers[1].get_weights())
    if smoothing:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
        targets = np.eye(C)[y]
    else:
        loss, targets = keras.losses.SparseCategoricalCrossentropy(from_logits=True), y
    stock.compile("sgd", loss)
    for _ in range(2):
        assert_close(ours.train_on_batch(x, y), stock.train_on_batch(x, targets), 1e-5)
    assert_close(ours.evaluate(x, y, verbose=0), stock.evaluate(x, targets, verbose=0), 1e-5)
    assert_close(logits_of(ours, x), logits_of(stock, x), 1e-4)


LABELS = np.array([[1, 2, 3], [4, 5, -1], [6, -1, -1], [7, 8, 7], [-1, -1, -1]])
WEIGHTS = np.float32([[1, 2, 0.5], [0.3, 1, 9], [2, 7, 7], [0, 1, 3], [1, 1, 1]])
STEPS = np.array([[1, 2, 0], [3, -1, 9]])
# What a batch may be, and the options of the loss for it: each loss that is exact in evaluation
# gives the same there.
BATCHES = {
    "padding": ([5, D], LABELS, None, {"num_true": 3, "padding_label": -1}),
    "weights of true classes": ([5, D], LABELS, WEIGHTS, {"num_true": 3, "padding_label": -1}),
    "ragged": (
        [3, D], tf.ragged.constant([[1, 2], [3], []]), None, {"num_true": 3, "padding_label": -1},
    ),
    "weights of rows": ([5, D], np.arange(5), np.float32([1, 0, 2, 0.5, 1]), {}),
    "ignore_class in time steps": ([2, 3, D], STEPS, None, {"ignore_class": -1}),
}  # fmt: skip


@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_each_kind_of_batch(kerases, kind, reduction):
    """In training as `SampledSoftmax` in evaluation, which other tests compare with NumPy."""
    shape, labels, weights, options = BATCHES[kind]
    if reduction == "none":
        options = {**options, "reduction": "none"}
    ours = kerases.ours.losses
    head, hidden = kerases.ours.layers.SampledDense(C), tf.random.stateless_normal(shape, [1, 2])
    head(hidden)
    results = []
    for loss, training in ((ours.FullSoftmax, True), (ours.SampledSoftmax, False)):
        made = loss(**options) if training else loss(5, **options)
        with tf.GradientTape() as tape:
            value = made(labels, head(hidden, training=training), weights)
        gradients = tape.gradient(value, head.trainable_weights)
        results.append([value, *map(tf.convert_to_tensor, gradients)])
    for got, want in zip(*results):
        assert_close(got, want, 1e-5)


def test_masked_time_steps_count_for_nothing(kerases):
    keras = kerases.keras
    model = keras.Sequential(
        [keras.layers.Embedding(9, D, mask_zero=True), kerases.ours.layers.SampledDense(C)]
    )
    model.compile("sgd", kerases.ours.losses.FullSoftmax())
    x, y = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[4, 5, 99], [6, 99, 99]])
    logits = model(x).numpy()
    true = tf.nn.sparse_softmax_cross_entropy_with_logits([4, 5, 6], logits[x > 0])
    assert_close(model.train_on_batch(x, y), tf.reduce_mean(true), 1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_precisions(kerases, policy, batch):
    kerases.keras.mixed_precision.set_global_policy(policy)
    model, (x, y) = functional(kerases), batch
    model.compile("adam", kerases.ours.losses.FullSoftmax(label_smoothing=0.1, z_loss=1e-3))
    first = model.train_on_batch(x, y)
    for _ in range(20):
        last = model.train_on_batch(x, y)
    assert np.isfinite(last) and last < first
    assert_close(first, np.log(C) + 1e-3 * np.log(C) ** 2, 0.1)


def test_the_lazy_optimizers_take_its_dense_gradient(kerases, batch):
    values = []
    for optimizer in (kerases.ours.optimizers.LazyAdam(1e-2), kerases.keras.optimizers.Adam(1e-2)):
        kerases.keras.utils.set_random_seed(1)
        model = functional(kerases)
        model.compile(optimizer, kerases.ours.losses.FullSoftmax())
        values.append([model.train_on_batch(*batch) for _ in range(3)])
    assert_close(*values, 1e-5)


def test_saved_loaded_and_exported(kerases, batch, tmp_path):
    loss = kerases.ours.losses.FullSoftmax(3, padding_label=-1, **TERMS)
    model = functional(kerases, **SCALING)
    model.compile("adam", loss)
    x, y = batch[0], np.stack([batch[1], np.full(64, -1), np.full(64, -1)], axis=1)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = kerases.keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is kerases.ours.losses.FullSoftmax
    assert loaded.loss.get_config() == loss.get_config()
    assert loaded.loss.margin == TERMS["margin"] and loaded.loss.num_true == 3
    assert_close(loaded.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), 1e-6)
    assert_close(loaded.train_on_batch(x, y), model.train_on_batch(x, y), 1e-6)
    model.export(str(tmp_path / "exported"))
    serve = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]
    (served,) = serve(**{name: tf.constant(x)}).values()
    assert_close(served, logits_of(model, x), 1e-5)


def test_words_for_mistakes(kerases, batch):
    losses = kerases.ours.losses
    for options, words in (
        ({"margin": 0.5}, "margin: expected a function of cosines"),
        ({"label_smoothing": 1.0}, r"label_smoothing: expected a number in \[0, 1\), got 1.0"),
        ({"z_loss": -1}, "z_loss: expected a number >= 0, got -1"),
        ({"num_true": 0}, "num_true: expected at least 1"),
        ({"temperature": 0.1}, "temperature: expected none: it is an argument of the SampledDense"),
        ({"from_logits": True}, "from_logits: expected none"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            losses.FullSoftmax(**options)
    model = functional(kerases)
    model.compile("sgd", losses.FullSoftmax(margin=tsc.margins.CosFace(0.1)))
    with pytest.raises(ValueError, match="margin: expected normalize=True beside it"):
        model.train_on_batch(*batch)
    dense = kerases.keras.Sequential([kerases.keras.layers.Dense(C)])
    dense.compile("sgd", losses.FullSoftmax())
    with pytest.raises(ValueError, match="SampledDense"):
        dense.train_on_batch(*batch)
