"""The first stage: the caller's tensors, converted, and checked in all but their values."""

from __future__ import annotations

from typing import NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.losses import padding
from tf_sampled_compat.core.losses.description import Arguments
from tf_sampled_compat.core.samplers.tensorflow_kernels import class_ids
from tf_sampled_compat.core.tables.table import Table, as_table, size_assertions
from tf_sampled_compat.core.tf.shapes import size_of, with_shape


class Batch(NamedTuple):
    """The tensors of a loss.

    Attributes:
      inputs: `[B, D]` activations, in the caller's dtype.
      labels: `[B, T]` int64.
      weights: The `[C, D]` class embeddings.
      biases: The `[C]` class biases.
      num_true: T.
      true_mask: `[B, T]`: which labels are true classes; None for all. The others are 0.
    """

    inputs: tf.Tensor
    labels: tf.Tensor
    weights: Table
    biases: Table
    num_true: int
    true_mask: Optional[tf.Tensor] = None

    @property
    def compute_dtype(self) -> tf.DType:
        """float64 for float64 inputs; float32 for all others, the 16-bit ones included."""
        return tf.float64 if self.inputs.dtype == tf.float64 else tf.float32


def prepare(arguments: Arguments, *, flat_labels: bool = False) -> Batch:
    """Converts and checks the tensors of a loss.

    Args:
      arguments: What the caller passed.
      flat_labels: Whether labels of shape `[B * T]` pass.
    """
    checks.partition_strategy(arguments.partition_strategy)
    num_true = checks.known_size("num_true", arguments.num_true)
    weights, biases = _tables(arguments)
    labels = padding.rectangular(arguments.labels, arguments.padding_label, num_true)
    labels, inputs = tf.convert_to_tensor(labels), tf.convert_to_tensor(arguments.inputs)
    checks.labels_and_inputs(labels, inputs)
    for table in (weights, biases):
        for piece in table.pieces:
            checks.numbers_only(table.argument, piece.dtype)
    dim = checks.dim(weights.pieces)
    checks.shapes(labels, inputs, dim, num_true, flat_labels)
    labels = class_ids(labels)
    inputs = errors.after(checks.width("inputs", inputs, dim), inputs)
    inputs = with_shape(inputs, [None, dim])
    if labels.shape.rank != 2 or size_of(labels, 1) is None:
        widths = checks.width("labels", labels, num_true, flat_labels)
        labels = tf.reshape(errors.after(widths, labels), [-1, num_true])
    assertions = [
        *checks.same_batch(labels, inputs),
        *size_assertions(weights),
        *size_assertions(biases),
    ]
    labels = errors.after(assertions, labels)
    mask = padding.true_mask(labels, arguments.padding_label)
    labels = labels if mask is None else tf.where(mask, labels, 0)
    return Batch(inputs, labels, weights, biases, num_true, mask)


def _tables(arguments: Arguments) -> tuple[Table, Table]:
    strategy, contiguous_mod = arguments.partition_strategy, arguments.contiguous_mod
    weights = as_table(
        "weights", arguments.weights, strategy=strategy, rank=2, contiguous_mod=contiguous_mod
    )
    biases = as_table(
        "biases",
        arguments.biases,
        strategy=arguments.biases_partition_strategy or strategy,
        rank=1,
        contiguous_mod=arguments.biases_contiguous_mod or contiguous_mod,
    )
    return weights, biases
