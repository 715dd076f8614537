"""The first stage: converts the caller's tensors and checks all but their values."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.losses import padding, scaling
from tf_sampled_compat.core.losses.description import Arguments
from tf_sampled_compat.core.tables.lookup import lookup
from tf_sampled_compat.core.tables.table import Table, as_table, size_assertions
from tf_sampled_compat.core.tf.shapes import size_of, with_shape


class Batch(NamedTuple):
    """The tensors of a loss.

    Attributes:
      inputs: `[B, D]` activations, divided by the temperature, and normalized before if logits are
        cosines; otherwise the caller's.
      labels: `[B, T]` int64; or `[1, T]`, shared by all inputs.
      weights: The `[C, D]` class embeddings.
      biases: The `[C]` class biases.
      num_true: T.
      true_mask: `[B, T]`: whether a label is a true class; None if all are. The others are 0.
      one_row_broadcasts: Whether one row of labels may serve all inputs.
      seen: `[B]`: whether TAPAS sees an input; None if it sees all.
      label_weights: `[B, T]`: see `description.Arguments`; or None.
      part_weights: The same.
      temperature: What logits are divided by, in the compute dtype; None for 1.
      normalize: Whether logits are cosines.
      dtype: The dtype of the caller's inputs, and of the loss.
    """

    inputs: tf.Tensor
    labels: tf.Tensor
    weights: Table
    biases: Table
    num_true: int
    true_mask: Optional[tf.Tensor] = None
    one_row_broadcasts: bool = True
    seen: Optional[tf.Tensor] = None
    label_weights: Optional[tf.Tensor] = None
    part_weights: Optional[tf.Tensor] = None
    temperature: Optional[tf.Tensor] = None
    normalize: bool = False
    dtype: tf.DType = tf.float32

    def rows(self, ids: tf.Tensor) -> tf.Tensor:
        """Looks up the rows of classes, whose products with `inputs` are the logits."""
        return self.as_used(lookup(self.weights, ids))

    def as_used(self, rows: tf.Tensor) -> tf.Tensor:
        """Normalizes rows if logits are cosines."""
        return scaling.unit(tf.cast(rows, self.compute_dtype)) if self.normalize else rows

    def row_biases(self, ids: tf.Tensor) -> tf.Tensor:
        """Looks up the biases of classes, in the compute dtype, and divides by the temperature."""
        return self.as_biases(lookup(self.biases, ids))

    def as_biases(self, biases: tf.Tensor) -> tf.Tensor:
        """Casts biases to the compute dtype, and divides them by the temperature."""
        biases = tf.cast(biases, self.compute_dtype)
        return biases if self.temperature is None else biases / self.temperature

    def labels_of_rows(self) -> tf.Tensor:
        """Returns the `[B, T]` labels; a single row is repeated."""
        rows, batch_size = size_of(self.labels, 0), size_of(self.inputs, 0)
        if not self.one_row_broadcasts or (rows is not None and rows == batch_size):
            return self.labels
        if batch_size is None:
            batch_size = tf.shape(self.inputs)[0]
        return tf.broadcast_to(self.labels, [batch_size, self.num_true])

    @property
    def has_one_label_row(self) -> bool:
        """Whether it is known that a single row of labels serves several inputs."""
        return size_of(self.labels, 0) == 1 and size_of(self.inputs, 0) != 1

    def labels_or(self, padding: int) -> tf.Tensor:
        """The `[B, T]` labels, with `padding` in the place of those that are masked."""
        if self.true_mask is None:
            return self.labels_of_rows()
        return tf.where(self.true_mask, self.labels, tf.constant(padding, tf.int64))

    def nan_where_out_of_range(self, values: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Under XLA, makes values of class ids out of range NaN.

        XLA clamps positions, so that such an id would silently be the last class.
        """
        limit, _ = checks.class_id_limit(self.weights.num_rows, self.biases.num_rows)
        if limit is None:
            return values
        return errors.nan_unless(lambda: tf.logical_and(ids >= 0, ids < limit), values)

    @property
    def compute_dtype(self) -> tf.DType:
        """float64 for float64 inputs; float32 for all others, also the 16-bit ones."""
        return tf.float64 if self.dtype == tf.float64 else tf.float32


def prepare(arguments: Arguments, *, flat_labels: bool = False) -> Batch:
    """Converts and checks the tensors of a loss.

    Args:
      arguments: The caller's arguments.
      flat_labels: Whether to accept labels of shape `[B * T]`.
    """
    checks.partition_strategy(arguments.partition_strategy)
    num_true = checks.known_size("num_true", arguments.num_true)
    weights, biases = _tables(arguments)
    labels = padding.rectangular(arguments.labels, arguments.padding_label, num_true)
    labels, inputs = as_tensor("labels", labels), as_tensor("inputs", arguments.inputs)
    checks.labels_and_inputs(labels, inputs)
    for table in (weights, biases):
        for piece in table.pieces:
            checks.numbers_only(table.argument, piece.dtype)
        checks.one_dtype(table.argument, table.pieces)
    dim = checks.dim(weights.pieces)
    checks.shapes(labels, inputs, dim, num_true, flat_labels)
    labels = as_class_ids(labels)
    inputs = errors.after(checks.width("inputs", inputs, dim), inputs)
    inputs = with_shape(inputs, [None, dim])
    if labels.shape.rank != 2 or size_of(labels, 1) is None:
        widths = checks.width("labels", labels, num_true, flat_labels)
        labels = tf.reshape(errors.after(widths, labels), [-1, num_true])
    assertions = [
        *checks.same_batch(labels, inputs, arguments.one_row_broadcasts),
        *size_assertions(weights),
        *size_assertions(biases),
    ]
    labels = errors.after(assertions, labels)
    batch = Batch(
        inputs=inputs,
        labels=labels,
        weights=weights,
        biases=biases,
        num_true=num_true,
        one_row_broadcasts=arguments.one_row_broadcasts,
        normalize=checks.flag("normalize", arguments.normalize),
        dtype=inputs.dtype,
    )
    batch = _scaled(batch, arguments.temperature)
    return _with_weights(_with_mask(batch, arguments), arguments)


def _with_mask(batch: Batch, arguments: Arguments) -> Batch:
    """Finds which labels are true classes."""
    if arguments.padding_label is None and arguments.true_mask is None:
        return batch
    labels = batch.labels_of_rows()
    mask = padding.true_mask(labels, arguments.padding_label, arguments.true_mask)
    seen = None if arguments.true_mask is None else tf.reduce_any(mask, axis=1)
    return batch._replace(labels=tf.where(mask, labels, 0), true_mask=mask, seen=seen)


def _scaled(batch: Batch, temperature: Any) -> Batch:
    """Normalizes the inputs and divides them by the temperature, not in 16 bits."""
    inputs, dtype = batch.inputs, batch.compute_dtype
    if batch.normalize:
        inputs = scaling.unit(tf.cast(inputs, dtype))
    if temperature is None:
        return batch._replace(inputs=inputs)
    temperature = tf.cast(scaling.temperature("temperature", temperature), dtype)
    return batch._replace(inputs=tf.cast(inputs, dtype) / temperature, temperature=temperature)


def _with_weights(batch: Batch, arguments: Arguments) -> Batch:
    """Converts the weights of the true classes."""
    if arguments.part_weights is not None:
        weights = tf.cast(tf.convert_to_tensor(arguments.part_weights), batch.compute_dtype)
        batch = batch._replace(part_weights=weights)
    if arguments.label_weights is None:
        return batch
    weights = checks.label_weights(
        arguments.label_weights,
        batch.labels_of_rows(),
        batch.true_mask,
        batch.compute_dtype,
        arguments.most_label_weight,
    )
    return batch._replace(label_weights=weights)


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
