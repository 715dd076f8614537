"""The losses equal the functions behind them, and weigh, mask and reduce as Keras's own do."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, functional, logits_of
from tests.problems import assert_close

COUNTS = np.arange(C, 0, -1)


def head_and_hidden(kerases, batch, num_classes=C):
    head = kerases.ours.layers.SampledDense(num_classes)
    return head, tf.constant(batch[0])


def pairs(ours):
    """Returns pairs of our loss and the function with the same arguments."""
    sparse = functools.partial(tsc.nn.sampled_sparse_softmax_loss, partition_strategy="div")
    uniform = functools.partial(tsc.random.uniform_candidate_sampler, seed=3)
    learned = tsc.random.LearnedUnigramSampler(C, seed=3)  # What its name stands for.
    return {
        "softmax": (ours.SampledSoftmax(9, seed=3), tsc.nn.sampled_softmax_loss, {}),
        "nce": (ours.NCE(9, seed=3), tsc.nn.nce_loss, {}),
        "sparse": (ours.SampledSparseSoftmax(9, seed=3), sparse, {}),
        "rank": (
            ours.RankSampledSoftmax(20, 9, seed=3, resampling_temperature=0.5),
            tsc.nn.rank_sampled_softmax_loss,
            {
                "num_sampled": 20,
                "num_resampled": 9,
                "resampling_temperature": 0.5,
                "sampler": functools.partial(learned, seed=3),
            },
        ),
        "hits kept": (
            ours.SampledSoftmax(9, seed=3, remove_accidental_hits=False),
            tsc.nn.sampled_softmax_loss,
            {"remove_accidental_hits": False},
        ),
        "logistic": (
            ours.NCE(9, seed=3, remove_accidental_hits=True),
            tsc.nn.nce_loss,
            {"remove_accidental_hits": True},
        ),
        "uniform": (
            ours.SampledSoftmax(9, sampler="uniform", seed=3),
            tsc.nn.sampled_softmax_loss,
            {"sampler": uniform},
        ),
        "object": (
            ours.SampledSoftmax(9, sampler=lambda *sizes, seed: uniform(*sizes, seed=3)),
            tsc.nn.sampled_softmax_loss,
            {"sampler": uniform},
        ),
        "fixed": (
            ours.NCE(9, sampler={"name": "fixed_unigram", "unigrams": COUNTS}, seed=3),
            tsc.nn.nce_loss,
            {
                "sampler": functools.partial(
                    tsc.random.fixed_unigram_candidate_sampler, unigrams=list(COUNTS), seed=3
                )
            },
        ),
    }


PAIRS = list(pairs(tsc.keras.losses))


@pytest.mark.parametrize("pair", PAIRS)
def test_training_equals_the_function(kerases, pair, batch):
    loss, function, options = pairs(kerases.ours.losses)[pair]
    head, hidden = head_and_hidden(kerases, batch)
    labels = batch[1][:, None]

    @tf.function
    def ours():
        return loss.call(batch[1], head(hidden, training=True))

    @tf.function
    def theirs():
        arguments = {"num_sampled": 9, "seed": 3, **options}
        sampler = arguments.pop("sampler", None)
        if sampler:
            size = arguments["num_sampled"]
            arguments["sampled_values"] = sampler(labels, 1, size, True, C)
        return function(
            head.kernel, head.bias, labels, hidden, num_classes=C, **arguments
        )  # fmt: skip

    first = ours()
    assert_close(first, theirs(), rtol=1e-6)
    assert np.abs(first - ours()).max() > 0, "the second draw is another"


@pytest.mark.parametrize("name", ["SampledSoftmax", "NCE"])
def test_several_true_classes(kerases, name, batch):
    labels = np.stack([batch[1], (batch[1] + 7) % C], axis=1)
    loss = getattr(kerases.ours.losses, name)(9, num_true=2, seed=3)
    head, hidden = head_and_hidden(kerases, batch)
    sampled, full = {
        "SampledSoftmax": (tsc.nn.sampled_softmax_loss, tsc.nn.full_softmax_loss),
        "NCE": (tsc.nn.nce_loss, tsc.nn.full_sigmoid_loss),
    }[name]
    ours = tf.function(lambda: loss.call(labels, head(hidden, training=True)))
    head(hidden)
    theirs = tf.function(
        lambda: sampled(head.kernel, head.bias, labels, hidden, 9, C, num_true=2, seed=3)
    )
    assert_close(ours(), theirs(), rtol=1e-6)
    assert_close(
        loss.call(labels, head(hidden, training=False)),
        full(head.kernel, head.bias, labels, hidden, num_true=2),
    )


class Own:
    """Keras's loss and ours on the same logits and labels; both must weigh and reduce alike."""

    def __init__(self, kerases, reduction, steps=None):
        keras = kerases.keras
        r = np.random.RandomState(1)
        shape = (6,) if steps is None else (6, steps)
        self.labels = r.randint(0, C, shape)
        hidden = tf.constant(r.randn(*shape, 4).astype(np.float32))
        mask = None if steps is None else tf.constant(r.rand(*shape) < 0.6)
        head = kerases.ours.layers.SampledDense(C)
        self.y_pred = head(hidden, training=False)
        self.plain = tf.identity(self.y_pred)
        if mask is not None:
            self.y_pred._keras_mask = self.plain._keras_mask = mask
        own = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
        self.own = own
        self.ours = kerases.ours.losses.SampledSoftmax(9, reduction=reduction)

    def assert_equal(self, sample_weight):
        got = self.ours(self.labels, self.y_pred, sample_weight=sample_weight)
        if np.ndim(sample_weight) == 1 and self.labels.ndim == 2:
            sample_weight = sample_weight[:, None]  # Keras 3 takes a column only.
        assert_close(got, self.own(self.labels, self.plain, sample_weight=sample_weight))


WEIGHTS = {
    "none": None,
    "a number": 0.3,
    "by example": np.float32([1, 0, 2, 0.5, 0, 3]),
    "by example, a column": np.float32([[1], [0], [2], [0.5], [0], [3]]),
    "by step": np.random.RandomState(2).rand(6, 5).astype(np.float32),
}


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none"])
def test_weights_masks_and_reductions_are_kerass(kerases, reduction):
    for steps in (None, 5):
        own = Own(kerases, reduction, steps)
        for name, weight in WEIGHTS.items():
            if not (name == "by step" and steps is None):
                own.assert_equal(weight)


def test_keras_3_mean_with_sample_weight(kerases):
    if not kerases.is_3:
        pytest.skip("Keras 2 has no such reduction")
    Own(kerases, "mean_with_sample_weight").assert_equal(WEIGHTS["by example"])


def test_class_weight_in_fit(kerases, batch):
    x, y = batch
    model = functional(kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10))
    weights = {c: float(c == 3) for c in range(C)}
    y = np.where(y == 3, 4, y)
    before = [np.array(w) for w in model.weights]
    model.fit(x, y, class_weight=weights, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    y[0] = 3
    assert model.fit(x, y, class_weight=weights, verbose=0).history["loss"][0] > 0


def test_masked_steps_need_no_labels(kerases):
    keras, ours = kerases.keras, kerases.ours
    r = np.random.RandomState(0)
    ids, labels = r.randint(1, C, (16, 5)), r.randint(0, C, (16, 5))
    ids[:, 3:], labels[:, 3:] = 0, -1
    inputs = keras.Input([5], dtype="int32")
    embedded = keras.layers.Embedding(C, 8, mask_zero=True)(inputs)
    hidden = keras.layers.LSTM(6, return_sequences=True)(embedded)
    model = keras.Model(inputs, ours.layers.SampledDense(C)(hidden))
    model.compile("adam", ours.losses.SampledSoftmax(10), metrics=[ours.metrics.MeanRank()])
    assert np.isfinite(model.fit(ids, labels, verbose=0).history["loss"][0])
    loss, rank = model.evaluate(ids, labels, verbose=0)
    logits = logits_of(model, ids)[:, :3]
    assert logits.shape == (16, 3, C)
    want = tf.nn.sparse_softmax_cross_entropy_with_logits(labels[:, :3], logits)
    np.testing.assert_allclose(loss, tf.reduce_mean(want), rtol=1e-5)
    true = np.take_along_axis(logits, labels[:, :3, None], axis=2)
    np.testing.assert_allclose(rank, 1 + (logits > true).sum(axis=2).mean(), rtol=1e-5)


@pytest.mark.parametrize("way", ["arrays", "dataset", "class_weight", "train_on_batch"])
@pytest.mark.parametrize("label", [2**24 + 1, 2**31 + 1])
def test_labels_arrive_as_they_are(kerases, label, way, batch):
    x, y = batch[0], np.full(len(batch[0]), label)
    model = functional(kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10), run_eagerly=way == "arrays")
    if way == "class_weight" and not kerases.is_3:
        pytest.skip("Keras 2 looks each label up in a table of weights")
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        if way == "train_on_batch":
            model.train_on_batch(x, y)
        elif way == "dataset":
            model.fit(tf.data.Dataset.from_tensors((x, y)), verbose=0)
        else:
            weights = {"class_weight": {0: 1.0}} if way == "class_weight" else {}
            model.fit(x, y, verbose=0, **weights)
    assert f"labels: expected class ids in [0, {C})" in str(error.value)
    assert str(label) in str(error.value)


def test_the_output_of_another_layer_is_an_error_that_says_what_to_do(kerases, batch):
    keras = kerases.keras
    model = keras.Sequential([keras.layers.Dense(C)])
    model.compile("sgd", kerases.ours.losses.NCE(10))
    words = rf"y_pred of NCE.*tf_sampled_compat\.{kerases.name}\.layers\.SampledDense"
    with pytest.raises(ValueError, match=words):
        model.fit(*batch, verbose=0)


def test_one_hot_labels_are_an_error(kerases, batch):
    head, hidden = head_and_hidden(kerases, batch)
    with pytest.raises(ValueError, match="labels: expected shape"):
        kerases.ours.losses.SampledSoftmax(9)(tf.one_hot(batch[1], C), head(hidden))


def test_the_temperature_changes_between_steps(kerases, batch):
    """A temperature changes the candidates, and so the loss, for the same seed."""
    own = tf.Variable(1.0)
    for given in (1.0, own):
        loss = kerases.ours.losses.RankSampledSoftmax(
            40, 5, resampling_temperature=given, seed=1, sampler="uniform"
        )
        model = functional(kerases)
        model.compile("sgd", loss, run_eagerly=False)
        model.fit(*batch, verbose=0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="resampling_temperature"):
            loss.resampling_temperature = -1.0
        loss.resampling_temperature = 0.25
        assert loss.get_config()["resampling_temperature"] == 0.25
    assert own.numpy() == 0.25


@pytest.mark.parametrize("bad", ["zipf", {"unigrams": [1.0]}, None, 3])
def test_unknown_samplers_are_an_error(kerases, bad):
    with pytest.raises(ValueError, match="sampler: expected one of.*log_uniform"):
        kerases.ours.losses.SampledSoftmax(9, sampler=bad)
