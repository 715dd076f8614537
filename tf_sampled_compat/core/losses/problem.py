"""From a call's arguments to the batch problem that an implementation solves.

`prepare` converts the arguments and `given` the candidates that came with them, both checking all
but values; `candidates` checks the values, and draws where none were given; `gather` looks up rows.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.backends.plan import accidental_hits
from tf_sampled_compat.core.losses import corrections
from tf_sampled_compat.core.samplers import tensorflow_kernels
from tf_sampled_compat.core.samplers.tensorflow_kernels import SampledValues
from tf_sampled_compat.core.tables.lookup import lookup
from tf_sampled_compat.core.tables.table import Table, as_table, size_assertions
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of, sizes, with_shape


class Batch(NamedTuple):
    """The checked arguments of a loss.

    Attributes:
      inputs: `[B, D]` activations, in the caller's dtype.
      labels: `[B, T]` int64.
      weights: The `[C, D]` class embeddings.
      biases: The `[C]` class biases.
      num_true: T.
      true_mask: `[B, T]`: which labels are true classes; None for all. The others are 0.
      exclude_true: Whether no true class of a row is a negative of it.
    """

    inputs: tf.Tensor
    labels: tf.Tensor
    weights: Table
    biases: Table
    num_true: int
    true_mask: Optional[tf.Tensor] = None
    exclude_true: bool = False

    @property
    def compute_dtype(self) -> tf.DType:
        """float64 for float64 inputs; float32 for all others, the 16-bit ones included."""
        return tf.float64 if self.inputs.dtype == tf.float64 else tf.float32


def prepare(
    *,
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_true: int,
    partition_strategy: str,
    biases_partition_strategy: Optional[str] = None,
    contiguous_mod: str = "refuse",
    biases_contiguous_mod: Optional[str] = None,
    flat_labels: bool = False,
    padding_label: Optional[int] = None,
    exclude_true: bool = False,
) -> Batch:
    """Checks and converts the tensors of a loss; of the labels, all but their values.

    Args:
      weights: See `tables.table.as_table`.
      biases: See `tables.table.as_table`.
      labels: `[B, T]` class ids of any dtype.
      inputs: `[B, D]` activations.
      num_true: T.
      partition_strategy: "div" or "mod".
      biases_partition_strategy: The biases' own strategy, where it differs (TF 0.12).
      contiguous_mod: See `tables.table.as_table`.
      biases_contiguous_mod: The same for the biases, where it differs (TF 0.12).
      flat_labels: Whether labels of shape `[B * T]` pass, as they do in TensorFlow where nothing
        but a reshape looks at them.
      padding_label: What stands for no label.
      exclude_true: Whether no true class of a row is a negative of it.
    """
    checks.partition_strategy(partition_strategy)
    num_true = checks.size_attribute("num_true", num_true)
    weights = as_table(
        "weights", weights, strategy=partition_strategy, rank=2, contiguous_mod=contiguous_mod
    )
    biases = as_table(
        "biases",
        biases,
        strategy=biases_partition_strategy or partition_strategy,
        rank=1,
        contiguous_mod=biases_contiguous_mod or contiguous_mod,
    )
    labels = corrections.rectangular(labels, padding_label, num_true)
    labels, inputs = tf.convert_to_tensor(labels), tf.convert_to_tensor(inputs)
    checks.labels_and_inputs(labels, inputs)
    for table in (weights, biases):
        for piece in table.pieces:
            checks.numbers_only(table.argument, piece.dtype)
    dim = checks.dim(weights.pieces)
    checks.shapes(labels, inputs, dim, num_true, flat_labels)
    labels = tensorflow_kernels.class_ids(labels)
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
    mask = corrections.mask_of(labels, padding_label)
    labels = labels if mask is None else tf.where(mask, labels, 0)
    return Batch(inputs, labels, weights, biases, num_true, mask, exclude_true)


def given(
    batch: Batch,
    sampled_values: Any,
    *,
    num_sampled: int,
    stop_count_gradients: bool = True,
    exact_size: bool = False,
) -> SampledValues:
    """Converts the caller's candidates, and checks all but their values.

    Args:
      batch: The prepared arguments.
      sampled_values: What the caller gave.
      num_sampled: S.
      stop_count_gradients: Whether no gradient reaches the expected counts. (TF 0.12 lets it.)
      exact_size: Whether S candidates must come, as where TensorFlow builds a `[B, S]` mask.
    """
    sampled, true_count, sampled_count = checks.three_values(sampled_values)
    sampled = tf.convert_to_tensor(sampled)
    checks.numbers_only("sampled_values: sampled_candidates", sampled.dtype)
    sampled = tf.stop_gradient(tensorflow_kernels.class_ids(sampled))
    if sampled.shape.rank is None:
        vector = checks.sampled_candidates(sampled, None)
        sampled = tf.reshape(errors.after(vector, sampled), [-1])
    if stop_count_gradients:
        true_count, sampled_count = tf.stop_gradient(true_count), tf.stop_gradient(sampled_count)
    true_count = _floating("true_expected_count", true_count)
    sampled_count = _floating("sampled_expected_count", sampled_count)
    size_checks = [
        *size_assertions(batch.weights),
        *size_assertions(batch.biases),
        *checks.sampled_candidates(sampled, num_sampled if exact_size else None),
    ]
    batch_size = sizes(batch.labels)[0]
    true_count = _broadcasting("true_expected_count", true_count, sizes(batch.labels))
    if batch.true_mask is not None:
        true_count = tf.where(batch.true_mask, true_count, tf.ones([], true_count.dtype))
    return SampledValues(
        errors.after(size_checks, sampled),
        true_count,
        _broadcasting("sampled_expected_count", sampled_count, [batch_size, *sizes(sampled)]),
    )


def candidates(
    batch: Batch,
    values: Optional[SampledValues],
    *,
    how: ModuleType,
    sampler: Any,
    num_sampled: int,
    num_classes: int,
    seed: Optional[int],
) -> tuple[Batch, SampledValues]:
    """Checks the labels and the caller's candidates, or draws some.

    Args:
      batch: The prepared arguments.
      values: What `given` returned, or None to draw.
      how: The implementation.
      sampler: One of `default_samplers`, which draws unique candidates.
      num_sampled: S.
      num_classes: C.
      seed: The operation's seed.
    """
    batch = check_labels(batch, how)
    rows = batch.weights.num_rows, batch.biases.num_rows
    if values is not None:
        source, limit = "sampled_candidates", None
    else:
        checks.size_attribute("num_sampled", num_sampled)
        checks.size_attribute("num_classes", num_classes)
        limit = tf.get_static_value(num_classes)
        values = draw(batch, sampler, num_sampled=num_sampled, num_classes=num_classes, seed=seed)
        if limit is None or all(known is None or known >= limit for known in rows):
            return batch, values
        source = "drawn_candidates"
    sampled = how.class_ids(source, values.sampled_candidates, *rows, limit)
    return batch, values._replace(sampled_candidates=sampled)


def draw(
    batch: Batch, sampler: Any, *, num_sampled: int, num_classes: int, seed: Optional[int]
) -> SampledValues:
    """Draws by any sampler; see `candidates`."""
    values = corrections.draw(
        sampler,
        batch.labels,
        batch.true_mask,
        num_true=batch.num_true,
        num_sampled=num_sampled,
        num_classes=num_classes,
        seed=seed,
    )
    return SampledValues(*map(tf.stop_gradient, checks.three_values(values)))


def check_labels(batch: Batch, how: ModuleType) -> Batch:
    """Checks that the labels are class ids."""
    rows = batch.weights.num_rows, batch.biases.num_rows
    return batch._replace(labels=how.class_ids("labels", batch.labels, *rows))


def gather(
    batch: Batch, values: SampledValues, *, how: ModuleType, remove_accidental_hits: bool
) -> Gathered:
    """Plans the batch, as an implementation does, and looks each of its classes up once."""
    sampled = with_shape(values.sampled_candidates, [None])
    labels, mask, excluded = batch.labels, batch.true_mask, None
    if mask is not None and size_of(sampled, 0) != 0:
        labels = tf.where(mask, labels, sampled[:1])  # A class that is looked up anyway.
    find_hits = remove_accidental_hits and not batch.exclude_true
    planned = how.plan(labels, sampled, batch.num_true, find_hits and mask is None)
    if batch.exclude_true:
        excluded = corrections.true_among(batch.labels, mask, sampled, batch.num_true)
    elif find_hits and mask is not None:  # No padding is a hit.
        labels = tf.where(mask, batch.labels, -1)
        planned = planned._replace(hits=accidental_hits(labels, sampled, batch.num_true))
    dtype = batch.compute_dtype
    return Gathered(
        true_mask=mask,
        excluded=excluded,
        inputs=batch.inputs,
        rows=lookup(batch.weights, planned.ids),
        row_biases=tf.cast(lookup(batch.biases, planned.ids), dtype),
        sampled_positions=planned.sampled_positions,
        true_positions=planned.true_positions,
        hits=planned.hits,
        true_offset=_nan_out_of_range(
            batch, how.log_offset("true_expected_count", values.true_expected_count, dtype)
        ),
        sampled_offset=how.log_offset(
            "sampled_expected_count", values.sampled_expected_count, dtype
        ),
        num_true=batch.num_true,
        compute_dtype=dtype,
    )


def _nan_out_of_range(batch: Batch, offset: tf.Tensor) -> tf.Tensor:
    """Where nothing can be asserted, makes the loss of a row with a label out of range NaN.

    XLA clamps what it gathers by, so that such a label would silently be the last class.
    """
    if not private.in_xla_context() or batch.weights.num_rows is None:
        return offset
    bad = tf.logical_or(batch.labels < 0, batch.labels >= batch.weights.num_rows)
    return tf.where(bad, tf.constant(float("nan"), batch.compute_dtype), offset)


def _broadcasting(argument: str, count: tf.Tensor, target: list[Any]) -> tf.Tensor:
    return errors.after(checks.broadcasts(argument, count, target), count)


def _floating(argument: str, count: Any) -> tf.Tensor:
    count = tf.convert_to_tensor(count)
    checks.numbers_only(f"sampled_values: {argument}", count.dtype)
    return count if count.dtype.is_floating else tf.cast(count, tf.float32)
