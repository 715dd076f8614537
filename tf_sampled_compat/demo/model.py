"""The model of the demo: predicts an identifier from the few before it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc


class Values(NamedTuple):
    """The initial values of training, for C classes of D numbers each.

    Attributes:
      embedding: `[C, D]`.
      kernel: `[width * D, D]`, of the hidden layer.
      offset: `[D]`, the bias of the hidden layer.
      weights: `[C, D]`: with `biases`, the table that a sampled loss samples from.
      biases: `[C]`: the logarithm of the share of each class. So every loss starts from the unigram
        model and does not spend its first steps on learning it.
    """

    embedding: np.ndarray
    kernel: np.ndarray
    offset: np.ndarray
    weights: np.ndarray
    biases: np.ndarray


def initial_values(counts: np.ndarray, *, width: int, dim: int, seed: int) -> Values:
    """Draws the initial values of training; equal arguments give equal values.

    Args:
      counts: `[C]` how often each class occurs.
      width: The number of identifiers in a context.
      dim: D, of the embeddings, the hidden layer and the table.
      seed: The seed of the draw.
    """
    draw = np.random.default_rng(seed)

    def normal(shape: list[int], deviation: float) -> np.ndarray:
        return draw.standard_normal(shape, dtype=np.float32) * np.float32(deviation)

    return Values(
        embedding=normal([len(counts), dim], 0.3),
        kernel=normal([width * dim, dim], (width * dim) ** -0.5),
        offset=np.zeros([dim], np.float32),
        weights=normal([len(counts), dim], 0.05),
        biases=np.log(counts / counts.sum()).astype(np.float32),
    )


class NextIdentifier(NamedTuple):
    """logits = weights · tanh(concat(embedding[context]) · kernel + offset) + biases.

    Attributes:
      encoder: The Keras model from `[B, width]` contexts to the `[B, D]` hidden values.
      head: The layer from there to the `[B, C]` logits; it holds weights and biases.
      classifier: The Keras model that joins both.
    """

    encoder: Any
    head: Any
    classifier: Any


def build(values: Values) -> NextIdentifier:
    """Makes the model with its own copy of these values."""
    layers = tf.keras.layers
    num_classes, dim = values.embedding.shape
    contexts = tf.keras.Input([len(values.kernel) // dim], dtype="int64")
    embedding = layers.Embedding(num_classes, dim)
    hidden = layers.Dense(dim, activation="tanh")
    head = tsc.keras.layers.SampledDense(num_classes)

    encoder = tf.keras.Model(contexts, hidden(layers.Flatten()(embedding(contexts))))
    classifier = tf.keras.Model(contexts, head(encoder.output))
    embedding.set_weights([values.embedding])
    hidden.set_weights([values.kernel, values.offset])
    head.set_weights([values.weights, values.biases])
    return NextIdentifier(encoder, head, classifier)
