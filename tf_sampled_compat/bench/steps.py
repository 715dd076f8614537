"""The measured step, a sampled loss with all gradients, and the values that it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench.timing import Contender
from tf_sampled_compat.core.losses.slices import Slices

# TensorFlow's own loss, or this package's by either implementation.
STOCK, COMPOSITE, FUSED = "stock", "composite", "fused"

_STOCK = {"softmax": tf.nn.sampled_softmax_loss, "nce": tf.nn.nce_loss}
_OURS = {
    "softmax": tsc.nn.sampled_softmax_loss,
    "nce": tsc.nn.nce_loss,
    "tapas": tsc.nn.rank_sampled_softmax_loss,
}
# A step that looks the rows up and computes nothing: TensorFlow's own share of the time.
CALL = "call"

# Ops that compute nothing.
_PASSIVE = {"Const", "Identity", "NoOp", "Placeholder"}

# Rows of a table that are filled at once.
_BLOCK = 2**15


class Shape(NamedTuple):
    """B, D, S, T, C, and R for TAPAS."""

    batch: int
    dim: int
    sampled: int
    true: int = 1
    classes: int = 200_000
    resampled: Optional[int] = None

    def __str__(self) -> str:
        return f"({self.batch}, {self.dim}, {self.sampled}, {self.true})"


class Tables(NamedTuple):
    """The `[C, D]` embeddings and `[C]` biases of the classes."""

    weights: tf.Variable
    biases: tf.Variable


class Values(NamedTuple):
    """One batch: labels, inputs, and the candidates with their expected counts."""

    labels: tf.Tensor
    inputs: tf.Tensor
    sampled: tf.Tensor
    true_count: tf.Tensor
    sampled_count: tf.Tensor


def tables(classes: int, dim: int) -> Tables:
    """Makes the tables in the state that they have in training.

    They have had a sparse update. From then on TensorFlow copies a variable whenever all of it is
    read, so a step that reads the whole table becomes slow.
    """
    weights, biases = tf.Variable(tf.zeros([classes, dim])), tf.Variable(tf.zeros([classes]))
    for variable in (weights, biases):
        variable.scatter_sub(tf.IndexedSlices(tf.zeros([1, *variable.shape[1:]]), [0]))
    # By blocks, because memory may not hold a second copy of the table.
    for first in range(0, classes, _BLOCK):
        size = [min(_BLOCK, classes - first), dim]
        block = tf.random.stateless_uniform(size, seed=[1, first], minval=-0.1, maxval=0.1)
        weights[first : first + size[0]].assign(block)
    return Tables(weights, biases)


def skewed_values(shape: Shape) -> Values:
    """Returns log-uniform labels, as the default sampler assumes, and candidates drawn by it."""
    rng = np.random.default_rng(0)
    uniform = rng.uniform(size=(shape.batch, shape.true))
    labels = tf.constant(np.exp(uniform * np.log(shape.classes)).astype(np.int64) - 1)
    drawn = tf.random.log_uniform_candidate_sampler(
        labels, shape.true, shape.sampled, True, shape.classes, seed=1
    )
    return Values(labels, _inputs(rng, shape), *drawn)


def spread_values(shape: Shape, rng: np.random.Generator) -> Values:
    """Returns labels and distinct candidates drawn uniformly, new ones at each call."""
    sampled = rng.choice(shape.classes, shape.sampled, replace=False)
    expected = np.float32(shape.sampled / shape.classes)
    return Values(
        tf.constant(rng.integers(0, shape.classes, (shape.batch, shape.true))),
        _inputs(rng, shape),
        tf.constant(sampled),
        tf.fill([shape.batch, shape.true], expected),
        tf.fill([shape.sampled], expected),
    )


def step(
    loss: str,
    how: str,
    shape: Shape,
    on: Tables,
    *,
    slices: Optional[Slices] = None,
    options: Optional[Mapping[str, Any]] = None,
) -> Callable[..., Any]:
    """Returns the step as a `tf.function`.

    Args:
      loss: "softmax", "nce" or "tapas"; there is no stock "tapas".
      how: "stock", "composite", "fused" or "call".
      shape: The sizes of the arguments.
      on: The tables.
      slices: The entries of the tables' gradients; see `tsc.gradient_slices`.
      options: More arguments of the loss.

    Returns:
      A function of the labels, the inputs and the three sampled values. Without sampled values
      it draws them. It returns the mean loss and its gradients for weights, biases and inputs.
    """
    if how == CALL:
        return _call(on)
    sizes: dict[str, Any] = {
        "num_sampled": shape.sampled,
        "num_classes": shape.classes,
        "num_true": shape.true,
    }
    if shape.resampled is not None:
        sizes["num_resampled"] = shape.resampled
    if how != STOCK:
        sizes["implementation"] = how
    sizes.update(options or {})
    function = (_STOCK if how == STOCK else _OURS)[loss]

    @tf.function
    def run(labels: tf.Tensor, inputs: tf.Tensor, *sampled_values: tf.Tensor) -> Any:
        with tsc.gradient_slices(slices), tf.GradientTape() as tape:
            tape.watch(inputs)
            losses = function(
                *on, labels, inputs, sampled_values=sampled_values or None, **sizes
            )  # fmt: skip
            mean = tf.reduce_mean(losses)
        return mean, tape.gradient(mean, [*on, inputs])

    return run


def _call(on: Tables) -> Callable[..., Any]:
    @tf.function
    def run(labels: tf.Tensor, inputs: tf.Tensor, *sampled_values: tf.Tensor) -> Any:
        ids = tf.concat([*sampled_values[:1], tf.reshape(labels, [-1])], axis=0)
        rows, biases = (tf.gather(table, ids) for table in on)
        gradients = [
            tf.IndexedSlices(rows, ids, tf.constant(on.weights.shape.as_list())),
            tf.IndexedSlices(biases, ids, tf.constant(on.biases.shape.as_list())),
        ]
        return inputs[0, 0], [*gradients, inputs]  # loss, gradients

    return run


def contender(
    loss: str,
    how: str,
    shape: Shape,
    on: Tables,
    values: Values,
    *,
    draw: bool = False,
    slices: Optional[Slices] = None,
    options: Optional[Mapping[str, Any]] = None,
) -> Contender:
    """Returns a step on fixed values, or with `draw` one that draws its candidates."""
    arguments = values[:2] if draw else values
    run = step(loss, how, shape, on, slices=slices, options=options)
    return Contender(how, run, lambda: arguments)


def num_ops(of: Contender, *, of_package: bool = False) -> int:
    """Counts the ops in the graph of a step, or this package's, before TensorFlow optimizes it."""
    function: Any = of.run  # A tf.function.
    types = [op.type for op in function.get_concrete_function(*of.feed()).graph.get_operations()]
    if of_package:
        return sum(name.startswith("SampledCompat>") for name in types)
    return sum(name not in _PASSIVE for name in types)


def largest_difference(one: Contender, other: Contender) -> float:
    """Returns the largest difference of losses and gradients, relative to the largest number."""
    pairs = zip(_arrays(one.run(*one.feed())), _arrays(other.run(*other.feed())))
    return max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in pairs)


def loss_difference(one: Contender, other: Contender) -> float:
    """Returns the difference of two losses, relative to the first."""
    first, second = (float(of.run(*of.feed())[0]) for of in (one, other))
    return abs(first - second) / abs(first)


def _arrays(results: Any) -> Sequence[np.ndarray]:
    loss, gradients = results
    return [np.asarray(loss), *map(_summed, gradients)]


def _summed(gradient: Any) -> np.ndarray:
    """Sums the rows of each id of an `IndexedSlices`, in the order of the ids."""
    if not isinstance(gradient, tf.IndexedSlices):
        return np.asarray(gradient)
    ids, positions = np.unique(gradient.indices, return_inverse=True)
    values = np.asarray(gradient.values, np.float64)
    sums = np.zeros((len(ids), *values.shape[1:]))
    np.add.at(sums, positions.reshape(-1), values)
    return sums


def _inputs(rng: np.random.Generator, shape: Shape) -> tf.Tensor:
    return tf.constant(rng.standard_normal((shape.batch, shape.dim), np.float32))
