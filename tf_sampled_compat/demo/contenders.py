"""Who is compared: TensorFlow's losses called by hand, and ours compiled, with the same candidates.

Both train the same layers as Keras models. What a contender is made of, a loss and an optimizer, is
what its users would take: by hand TensorFlow's function in a training step of their own and Keras's
Adagrad, which walks whole tables (in Keras 3); compiled a loss of ours and `LazyAdagrad`.
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

# How many candidates TAPAS's first pass looks at for each one that it keeps. The more, the sharper
# it is at the top, and the worse its probabilities: the classes it drops are never pushed down.
CANDIDATES_PER_KEPT = 1.5


class Contender(NamedTuple):
    """A loss to train with.

    Attributes:
      name: What the report calls it.
      loss: A Keras loss to compile the model with, or a function to call by hand.
      twin: The name of the TensorFlow function that gives the same numbers, if there is one.
    """

    name: str
    loss: Union[Function, Any]
    twin: Optional[str] = None


def contenders(*, num_sampled: int, num_classes: int, seed: int) -> list[Contender]:
    """Returns stock TensorFlow's two losses and the package's four.

    All but `RankSampledSoftmax` sample from the log-uniform distribution, with the same seed: the
    same candidates at each step. That one has its own default, the unigram distribution as learned
    so far.

    Args:
      num_sampled: S, the candidates of each loss's (last) pass.
      num_classes: C > S.
      seed: The samplers' operation seed.
    """
    sizes = {"num_sampled": num_sampled, "num_classes": num_classes}

    def stock_softmax(weights, biases, labels, inputs):
        return tf.nn.sampled_softmax_loss(weights, biases, labels, inputs, **sizes, seed=seed)

    def stock_nce(weights, biases, labels, inputs):
        # TensorFlow's has no `seed`, so that its candidates must be drawn for it.
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
    # For one true class a row, the same number by another reduction.
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
    """Returns what sampling stands in for: Keras's own loss, on all logits of the same layer."""
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Contender("full_softmax", loss)


def compiled(contender: Contender, model: NextIdentifier, *, learning_rate: float) -> Any:
    """Returns the Keras model that trains the layers of `model` with a contender's loss."""
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
    if _is_keras_loss(contender.loss):
        return lambda labels, hidden: contender.loss.call(labels, head(hidden, training=True))
    return lambda labels, hidden: contender.loss(*table_of(head), labels, hidden)


def table_of(head: Any) -> list[tf.Variable]:
    """Returns the variables to gather weights and biases from.

    Keras 3's own are read whole by whoever looks rows up in them. Those who know take what is in
    there, and the comparison is with them.
    """
    return [private.unwrap_variable(variable) for variable in (head.kernel, head.bias)]


class ByHand(tf.keras.Model):
    """How `tf.nn`'s functions are used with Keras: by a training step that calls them.

    Args:
      model: The layers to train.
      loss: The function.
    """

    def __init__(self, model: NextIdentifier, loss: Function):
        super().__init__()
        self.encoder = model.encoder
        self.head = model.head
        self._function = loss
        self.built = True  # As its layers are.

    def call(self, contexts: tf.Tensor) -> tf.Tensor:
        """Returns the `[B, C]` logits."""
        return self.head(self.encoder(contexts))

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains on a batch; see Keras's."""
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

    Keras 3's Adagrad squares each of a row's entries by itself, where Adagrad squares their sum;
    Keras 2's sums them as here.
    """
    if not isinstance(gradient, tf.IndexedSlices) or not hasattr(tf.keras, "Variable"):
        return gradient
    ids, positions = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(ids))
    return tf.IndexedSlices(sums, ids, gradient.dense_shape)


def _is_keras_loss(loss: Any) -> bool:
    return isinstance(loss, tf.keras.losses.Loss)
