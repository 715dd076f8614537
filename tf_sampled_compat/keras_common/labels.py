"""What `y_true` may be: class ids of any dtype, padded, ragged, or with rows to ignore."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of


class Labels(NamedTuple):
    """The labels of a batch, a row for each example or time step.

    Attributes:
      ids: `[N, T]` int64.
      there: `[N, T]`: whether a label is a true class; None if all are.
    """

    ids: tf.Tensor
    there: Optional[tf.Tensor]


def labels_of(
    y_true: Any,
    hidden: tf.Tensor,
    num_true: Optional[int],
    *,
    none: Sequence[Optional[int]] = (),
    seen: Optional[tf.Tensor] = None,
) -> Labels:
    """Converts `y_true`.

    Args:
      y_true: `[...]` or `[..., num_true]` class ids, dense or ragged, of any dtype. They are never
        cast to a float: float32 cannot tell 16777217 from 16777216.
      hidden: `[..., dim]`, the input of the head.
      num_true: The number of true classes of each example, or None to take it from y_true.
      none: The labels that are no class. None stands for no such label.
      seen: `[N]`: False where a label may have any value, as it is masked; None if none is.

    Raises:
      ArgumentError: If the shape is not that of y_pred, or the labels are no whole numbers.
    """
    there = None
    if isinstance(y_true, tf.RaggedTensor):
        y_true, there = rectangular(y_true, hidden, num_true)
    labels = tf.convert_to_tensor(y_true)
    _check_dtype(labels)
    _check_shape(labels, hidden)
    width = num_true or 1
    if labels.shape.rank is not None and labels.shape.rank == hidden.shape.rank:
        width = labels.shape[-1] or num_true or tf.shape(labels)[-1]
    elif labels.shape.rank is not None:
        width = 1
    labels = tf.reshape(labels, [-1, width])
    if there is not None:
        there = tf.reshape(there, [-1, width])
    raw = as_class_ids(labels)  # A row that weighs nothing may have no class either.
    if seen is not None:
        labels = errors.after(_as_many_rows(labels, seen), labels)
        labels = tf.where(seen[:, tf.newaxis], labels, tf.zeros_like(labels))
    ids = whole_class_ids(labels)
    for label in none:
        if label is not None:
            other = tf.not_equal(raw, tf.constant(label, tf.int64))
            there = other if there is None else tf.logical_and(there, other)
    return Labels(ids, there)


def whole_class_ids(labels: tf.Tensor) -> tf.Tensor:
    """Returns labels as int64, without cutting a fraction off.

    Keras programs pass class ids in floating dtypes. A fraction among them is an error; under XLA,
    which raises none, such a label becomes one out of range, so that its loss is NaN.
    """
    ids = as_class_ids(labels)
    if not labels.dtype.is_floating:
        return ids
    whole = tf.equal(labels, tf.floor(labels))
    # A label that is no whole number, for the message.
    lowest = tf.reduce_min(tf.where(whole, tf.zeros_like(labels), labels))
    highest = tf.reduce_max(tf.where(whole, tf.zeros_like(labels), labels))
    expected = (
        "class ids, which are whole numbers (a floating dtype may hold them, but targets of a "
        "regression and probabilities are none)"
    )
    worst = tf.where(tf.equal(highest, 0), lowest, highest)
    checked = errors.require(tf.reduce_all(whole), "labels", expected, worst)
    if private.in_xla_context():
        ids = tf.where(whole, ids, tf.int64.min)
    return errors.after(checked, ids)


def rectangular(
    ragged: tf.RaggedTensor, hidden: tf.Tensor, num_true: Optional[int], argument: str = "labels"
) -> tuple[tf.Tensor, tf.Tensor]:
    """Pads ragged values to the shape of hidden, with `num_true` classes or as many as there are.

    Args:
      ragged: `[...]` or `[..., num_true]`.
      hidden: `[..., dim]`, the input of the head.
      num_true: The number of true classes of each example, or None.
      argument: The name of the values, for a message.

    Returns:
      The values, and whether each was there.
    """
    if private.in_xla_context():
        errors.fail(
            argument,
            "a dense tensor under jit_compile=True, as XLA cannot compile a RaggedTensor: pad the "
            "rows, y = y.to_tensor(-1), and give the loss padding_label=-1; or compile the model "
            "with jit_compile=False",
            f"a RaggedTensor of shape {ragged.shape}",
            errors.ArgumentTypeError,
        )
    leading = hidden.shape[:-1].rank
    has_classes = ragged.shape.rank == hidden.shape.rank
    if ragged.shape.rank not in (leading, hidden.shape.rank):
        _fail_shape(hidden, f"a RaggedTensor of shape {ragged.shape}")
    longest = tf.cast(ragged.bounding_shape(), tf.int32)
    wanted = tf.shape(hidden)[:-1]
    if has_classes:
        width = tf.maximum(longest[-1], 1) if num_true is None else num_true
        wanted = tf.concat([wanted, tf.reshape(width, [1])], axis=0)
    words = "rows no longer than y_pred"
    if num_true is not None:
        words += f", and at most num_true = {num_true} classes each (the loss takes num_true=)"
    fits = errors.require(tf.reduce_all(longest <= wanted), "labels", words, longest)
    with tf.control_dependencies(fits):
        more = tf.stack([tf.zeros_like(wanted), wanted - longest], axis=1)
    shape = [*hidden.shape[:-1], *([num_true] if has_classes else [])]

    def padded(values: tf.RaggedTensor) -> tf.Tensor:
        return tf.ensure_shape(tf.pad(values.to_tensor(), more), shape)

    there = ragged.with_flat_values(tf.ones_like(ragged.flat_values, tf.int32))
    return padded(ragged), tf.cast(padded(there), tf.bool)


def _check_dtype(labels: tf.Tensor) -> None:
    if labels.dtype == tf.string:
        errors.fail(
            "labels",
            "class ids, which are integers (keras.layers.StringLookup turns strings into them)",
            "dtype string",
            errors.ArgumentTypeError,
        )
    checks.numbers_only("labels", labels.dtype)


def _check_shape(labels: tf.Tensor, hidden: tf.Tensor) -> None:
    """Checks that labels have the leading dimensions of y_pred, as far as they are known."""
    leading, rank = hidden.shape[:-1], labels.shape.rank
    if rank is None or leading.rank is None or (rank == 1 and leading.rank > 1):
        return  # Flat labels are compared with the number of rows.
    got = labels.shape[: leading.rank]
    if rank > leading.rank + 1 or not got.is_compatible_with(leading):
        _fail_shape(hidden, f"{labels.dtype.name} {labels.shape}")


def _fail_shape(hidden: tf.Tensor, got: str) -> None:
    shape = list(hidden.shape[:-1])
    errors.fail(
        "labels",
        f"shape {shape} or {[*shape, 'num_true']}, as y_pred has shape {[*shape, 'num_classes']}",
        got,
    )


def _as_many_rows(labels: tf.Tensor, seen: tf.Tensor) -> list[tf.Operation]:
    got, wanted = size_of(labels, 0), size_of(seen, 0)
    got = tf.shape(labels)[0] if got is None else got
    wanted = tf.shape(seen)[0] if wanted is None else wanted
    expected = "a label (or num_true of them) for each time step of y_pred, masked ones too"
    return errors.require(tf.equal(got, wanted), "labels", expected, [got, wanted])
