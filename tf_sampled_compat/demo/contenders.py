"""The contenders: TensorFlow's losses called by hand, and ours compiled, on the same candidates.

Both kinds train the same layers as Keras models, with the loss and optimizer that their users would
choose. By hand, that is TensorFlow's function in a custom training step with Keras's Adagrad, which
walks whole tables in Keras 3. Compiled, it is one of our losses with `LazyAdagrad`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Optional, Union

import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.demo.model import NextIdentifier

# (weights, biases, labels, inputs) -> [B] losses.
Function = Callable[[tf.Variable, tf.Variable, tf.Tensor, tf.Tensor], tf.Tensor]

# How many candidates the first pass of TAPAS scores for each one that it keeps. More of them make
# the top of the ranking sharper but the probabilities worse: dropped classes are never pushed down.
CANDIDATES_PER_KEPT = 1.5


class Contender(NamedTuple):
    """A loss to train with.

    Attributes:
      name: Its name in the report.
      loss: A Keras loss to compile the model with, or a function to call by hand.
      twin: The name of the TensorFlow contender with the same numbers, if there is one.
    """

    name: str
    loss: Union[Function, Any]
    twin: Optional[str] = None


def contenders(*, num_sampled: int, num_classes: int, seed: int) -> list[Contender]:
    """Returns stock TensorFlow's two losses and the package's four.

    All but `RankSampledSoftmax` sample from the log-uniform distribution with the same seed, so
    they draw the same candidates at each step. `RankSampledSoftmax` keeps its own default, the
    unigram distribution as learned so far.

    Args:
      num_sampled: S, the candidates of each loss's (last) pass.
      num_classes: C > S.
      seed: The samplers' operation seed.
    """
    sizes = {"num_sampled": num_sampled, "num_classes": num_classes}

    def stock_softmax(weights, biases, labels, inputs):
        return tf.nn.sampled_softmax_loss(weights, biases, labels, inputs, **sizes, seed=seed)

    def stock_nce(weights, biases, labels, inputs):
        # TensorFlow's function has no `seed`, so its candidates are drawn here.
        candidates = tf.random.log_uniform_candidate_sampler(
            labels, 1, num_sampled, unique=True, range_max=num_classes, seed=seed
        )
        return tf.nn.nce_loss(weights, biases, labels, inputs, **sizes, sampled_values=candidates)

    losses = tsc.keras.losses
    rank = losses.RankSampledSoftmax(
        num_sampled=min(math.ceil(CANDIDATES_PER_KEPT * num_sampled), num_classes),
        num_resampled=num_sampled,
        seed=seed,
    )
    softmax = losses.SampledSoftmax(num_sampled, seed=seed)
    # With one true class a row, it computes the same number by another reduction.
    sparse = losses.SampledSparseSoftmax(num_sampled, seed=seed)
    return [
        Contender("tf.nn.sampled_softmax", stock_softmax),
        Contender("SampledSoftmax", softmax, twin="tf.nn.sampled_softmax"),
        Contender("SampledSparseSoftmax", sparse, twin="tf.nn.sampled_softmax"),
        Contender("RankSampledSoftmax", rank),
        Contender("tf.nn.nce", stock_nce),
        Contender("NCE", losses.NCE(num_sampled, seed=seed), twin="tf.nn.nce"),
    ]


def full_softmax() -> Contender:
    """Returns the loss that sampling approximates: Keras's own, on all logits of the layer."""
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Contender("full_softmax", loss)


def compiled(contender: Contender, model: NextIdentifier, *, learning_rate: float) -> Any:
    """Returns a compiled Keras model that trains the layers of `model` with a contender's loss."""
    if _is_keras_loss(contender.loss):
        trained = model.classifier
        optimizer = tsc.keras.optimizers.LazyAdagrad(learning_rate)
        trained.compile(optimizer=optimizer, loss=contender.loss)
    else:
        trained = ByHand(model, contender.loss)
        trained.compile(optimizer=tf.keras.optimizers.Adagrad(learning_rate))
    return trained


def losses_of(contender: Contender, head: Any) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns the function of `[B, 1]` labels and `[B, D]` hidden values to `[B]` losses."""
    loss: Any = contender.loss
    if _is_keras_loss(loss):
        return lambda labels, hidden: loss.call(labels, head(hidden, training=True))
    return lambda labels, hidden: loss(*table_of(head), labels, hidden)


def table_of(head: Any) -> tuple[tf.Variable, tf.Variable]:
    """Returns the variables that hold weights and biases.

    A lookup in a variable of Keras 3 reads all of it. Experienced users look rows up in the
    TensorFlow variable inside, and the demo compares with them.
    """
    return private.unwrap_variable(head.kernel), private.unwrap_variable(head.bias)


class ByHand(tf.keras.Model):
    """Trains by a function of `tf.nn`, called in a custom training step.

    Args:
      model: The layers to train.
      loss: The function.
    """

    def __init__(self, model: NextIdentifier, loss: Function):
        super().__init__()
        self.encoder = model.encoder
        self.head = model.head
        self._function = loss
        self.built = True  # because its layers are

    def call(self, contexts: tf.Tensor) -> tf.Tensor:
        """Returns the `[B, C]` logits."""
        return self.head(self.encoder(contexts))

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains on a batch; see `keras.Model.train_step`."""
        contexts, labels, _ = tf.keras.utils.unpack_x_y_sample_weight(data)
        variables = self.trainable_variables
        with tf.GradientTape() as tape:
            hidden = self.encoder(contexts, training=True)
            loss = tf.reduce_mean(self._function(*table_of(self.head), labels, hidden))
        gradients = map(_summed, tape.gradient(loss, variables))
        self.optimizer.apply_gradients(zip(gradients, variables))
        return {"loss": loss}


def _summed(gradient: Any) -> Any:
    """Returns a gradient with one entry for each row.

    Adagrad squares the sum of a row's entries. Keras 3's squares each entry by itself, so the
    entries are summed here; Keras 2's sums them as well.
    """
    if not isinstance(gradient, tf.IndexedSlices) or not hasattr(tf.keras, "Variable"):
        return gradient
    ids, positions = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(ids))
    return tf.IndexedSlices(sums, ids, gradient.dense_shape)


def _is_keras_loss(loss: Any) -> bool:
    return isinstance(loss, tf.keras.losses.Loss)
