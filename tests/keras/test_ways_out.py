"""Mistakes of someone who knows Keras: the message names what to write instead."""

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
    "full_softmax_loss": "SampledSoftmax",
    "full_sigmoid_loss": "NCE",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_as_a_loss(kerases, name, batch):
    model = functional(kerases)
    model.compile("sgd", loss=getattr(tsc.nn, name))
    with pytest.raises(TypeError, match=rf"tsc\.keras\.losses\.{FUNCTIONS[name]}\("):
        model.fit(*batch, verbose=0)


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
