"""Mistakes of someone who knows Keras: the message names what to write instead."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, functional

FUNCTIONS = {
    "sampled_softmax_loss": "SampledSoftmax",
    "nce_loss": "NCE",
    "sampled_sparse_softmax_loss": "SampledSparseSoftmax",
    "rank_sampled_softmax_loss": "RankSampledSoftmax",
    "full_softmax_loss": "FullSoftmax",
    "full_sigmoid_loss": "NCE",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_as_a_loss(kerases, name, batch):
    model = functional(kerases)
    model.compile("sgd", loss=getattr(tsc.nn, name))
    with pytest.raises(TypeError, match=rf"tsc\.keras\.losses\.{FUNCTIONS[name]}\("):
        model.fit(*batch, verbose=0)


def test_the_function_of_two_towers_as_a_loss(kerases, batch):
    model = functional(kerases)
    model.compile("sgd", loss=tsc.nn.in_batch_softmax_loss)
    for labels in (batch[1], batch[1][:, None]):
        with pytest.raises(TypeError, match=r"tsc\.keras\.losses\.InBatchSoftmax\(\), after a"):
            model.fit(batch[0], labels, verbose=0)


# FullSoftmax needs no number.
@pytest.mark.parametrize("name", sorted(set(FUNCTIONS.values()) - {"FullSoftmax"}))
def test_a_class_as_a_loss(kerases, name, batch):
    """Keras 3 makes an object of it, and tf_keras calls it as a function."""
    cls = getattr(kerases.ours.losses, name)
    model = functional(kerases)
    with pytest.raises(TypeError, match=rf"takes an object, loss={name}\(num_sampled=\.\.\.\)"):
        model.compile("sgd", loss=cls)
        model.fit(*batch, verbose=0)
    with pytest.raises(TypeError, match="num_sampled: expected a number.* got none"):
        cls()
    assert "num_sampled" in inspect.signature(cls).parameters


def test_ragged_labels_under_xla(kerases, batch):
    model = functional(kerases)
    loss = kerases.ours.losses.SampledSoftmax(10, num_true=2)
    model.compile("sgd", loss, jit_compile=True)
    y = tf.ragged.constant([[1, 2], [3]] * (len(batch[0]) // 2))
    with pytest.raises(TypeError, match="labels: expected a dense tensor under jit_compile=True"):
        model.fit(tf.data.Dataset.from_tensors((batch[0], y)), verbose=0)


def test_a_tied_embedding_of_another_width(kerases):
    """It is found where the model is made, whether the embedding was built or not."""
    keras = kerases.keras
    for is_built in (False, True):
        table = keras.layers.Embedding(C, D - 1)
        if is_built:
            table.build((None,))
        with pytest.raises(ValueError, match=f"rows of {D} numbers.* got shape .{C}, {D - 1}"):
            kerases.ours.layers.SampledDense(C, kernel=table)(keras.Input([D]))


def test_a_tied_embedding_that_is_called_nowhere_is_trained(kerases, batch):
    table = kerases.keras.layers.Embedding(C, D)
    inputs = kerases.keras.Input([D])
    model = kerases.keras.Model(inputs, kerases.ours.layers.SampledDense(C, kernel=table)(inputs))
    model.compile(kerases.ours.optimizers.LazyAdam(0.1), kerases.ours.losses.SampledSoftmax(20))
    before = np.array(table.embeddings)
    first, last = model.fit(*batch, epochs=20, verbose=0).history["loss"][::19]
    assert last < first - 0.5
    assert (np.array(table.embeddings) != before).any(axis=1).all()
    assert sorted(tuple(each.shape) for each in model.trainable_weights) == [(C,), (C, D)]


def test_arguments_of_dense(kerases):
    make = kerases.ours.layers.SampledDense
    with pytest.raises(TypeError, match="units: expected num_classes="):
        make(units=C)
    with pytest.raises(TypeError, match="activation: expected none: the layer returns logits"):
        make(C, activation="softmax")


@pytest.mark.parametrize("name", ["SampledSoftmax", "NCE", "SampledSparseSoftmax"])
def test_arguments_of_keras_losses(kerases, name):
    make = getattr(kerases.ours.losses, name)
    with pytest.raises(TypeError, match="from_logits: expected none: .* which is logits"):
        make(10, from_logits=True)
    with pytest.raises(TypeError, match="num_classes: expected none: the SampledDense layer knows"):
        make(10, num_classes=C)
    with pytest.raises(TypeError, match="ignore_index: expected ignore_class="):
        make(10, ignore_index=-1)
    for keyword in ("padding_value", "padding_idx", "mask_value"):
        with pytest.raises(TypeError, match=f"{keyword}: expected padding_label=.*ignore_class="):
            make(10, **{keyword: -1})


def test_string_labels(kerases, batch):
    """Keras 3 itself refuses arrays with NumPy's dtype for strings."""
    model = functional(kerases)
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10))
    words = ["a"] * len(batch[0])
    for labels in (np.array(words, object), tf.constant(words)):
        with pytest.raises(TypeError, match="StringLookup"):
            model.fit(batch[0], labels, verbose=0)


def test_string_labels_of_a_function():
    weights, biases = tf.zeros([C, D]), tf.zeros([C])
    with pytest.raises(TypeError, match="labels: expected numbers, got dtype string"):
        tsc.nn.sampled_softmax_loss(weights, biases, [["a"]], tf.zeros([1, D]), 10, C)
