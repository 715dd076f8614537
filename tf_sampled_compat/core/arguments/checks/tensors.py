"""Checks of labels, inputs and weights: dtypes, shapes, and the range of class ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf.shapes import size_of


def labels_and_inputs(labels: tf.Tensor, inputs: tf.Tensor) -> None:
    """Checks dtypes, which reveal swapped arguments.

    It runs before the checks of shapes, whose messages would mislead.
    """
    if inputs.dtype.is_floating:
        wide = labels.shape.rank == 2 and size_of(labels, 1) not in (None, 1)
        if labels.dtype.is_floating and wide:
            if inputs.shape.rank == 2 and size_of(inputs, 1) == 1:
                errors.fail(
                    "labels, inputs",
                    "class ids and activations (they look swapped)",
                    f"labels {kind(labels)}, inputs {kind(inputs)}",
                )
        numbers_only("labels", labels.dtype)
        return
    if labels.dtype.is_floating:
        errors.fail(
            "labels, inputs",
            "integer class ids as labels and floating-point activations as inputs: they are "
            "swapped (TF 0.x took inputs before labels; tf_sampled_compat.compat.v0.nn still does, "
            "and tf_sampled_compat.install('0.x') puts it behind tf.nn)",
            f"labels {kind(labels)}, inputs {kind(inputs)}",
        )
    errors.fail(
        "inputs",
        "a floating-point tensor of shape [batch_size, dim]",
        kind(inputs),
        errors.ArgumentTypeError,
    )


def numbers_only(argument: str, dtype: tf.DType) -> None:
    """Checks that a tensor holds numbers. A failing cast would not name the argument."""
    if dtype == tf.string or not dtype.is_numpy_compatible:
        errors.fail(argument, "numbers", f"dtype {dtype.name}", errors.ArgumentTypeError)


def one_dtype(argument: str, pieces: Sequence[Any]) -> None:
    """Checks that the pieces of a table have one dtype."""
    names = sorted({piece.dtype.base_dtype.name for piece in pieces})
    if len(names) > 1:
        got = " and ".join(names)
        errors.fail(argument, "pieces of one dtype", got, errors.ArgumentTypeError)


def dim(pieces: Sequence[Any]) -> Optional[int]:
    """Returns the width of the weights, which all pieces must share, or None if it is unknown."""
    sizes = [size_of(piece, 1) for piece in pieces if piece.shape.rank]
    widths = {size for size in sizes if size is not None}
    if len(widths) > 1:
        errors.fail("weights", "pieces of one width (dim)", f"widths {sorted(widths)}")
    return widths.pop() if widths else None


def shapes(
    labels: tf.Tensor, inputs: tf.Tensor, dim: Optional[int], num_true: int, flat_allowed: bool
) -> None:
    """Checks the known shapes of labels, inputs and table rows against each other."""
    if inputs.shape.rank not in (None, 2):
        errors.fail("inputs", "shape [batch_size, dim]", kind(inputs))
    if inputs.shape.rank == 2 and not may_equal(size_of(inputs, 1), dim):
        errors.fail(
            "inputs",
            f"shape [batch_size, {dim}], as the rows of weights have {dim} numbers",
            kind(inputs),
        )
    expected = f"shape [batch_size, {num_true}] (num_true = {num_true})"
    if labels.shape.rank == 1 and flat_allowed:
        return
    if labels.shape.rank not in (None, 2):
        errors.fail("labels", expected, kind(labels))
    if labels.shape.rank == 2 and not may_equal(size_of(labels, 1), num_true):
        errors.fail("labels", expected, kind(labels))


def width(
    argument: str, tensor: tf.Tensor, columns: Optional[int], flat_allowed: bool = False
) -> list[tf.Operation]:
    """Checks when the graph runs that a tensor has this many columns, if that is not known yet."""
    if columns is None or (tensor.shape.rank == 2 and size_of(tensor, 1) is not None):
        return []
    if flat_allowed and tensor.shape.rank == 1:
        return []
    shape = tf.shape(tensor)
    rank = tf.size(shape)
    good = tf.equal(rank, 2) & tf.reduce_all(tf.equal(shape[1:], [columns]))
    if flat_allowed:
        good |= tf.equal(rank, 1)
    expected = f"shape [batch_size, {columns}]"
    if argument == "labels":
        expected += f" (num_true = {columns})"
    return errors.require(good, argument, expected, shape)


def in_rows_of(ids: tf.Tensor, num_true: int) -> list[tf.Operation]:
    """Checks that true classes can be cut into rows of `num_true`."""
    expected = f"shape [batch_size, {num_true}] (num_true = {num_true})"
    if ids.shape.is_fully_defined():
        if (ids.shape.num_elements() or 0) % num_true:
            errors.fail("true_classes", expected, kind(ids))
        return []
    whole = tf.equal(tf.size(ids) % num_true, 0)
    return errors.require(whole, "true_classes", expected, tf.shape(ids))


def same_batch(
    labels: tf.Tensor, inputs: tf.Tensor, one_row_broadcasts: bool
) -> list[tf.Operation]:
    """Checks that labels and inputs have as many rows, or that a single row of labels may do."""
    got, wanted = size_of(labels, 0), size_of(inputs, 0)
    if got == 1 and one_row_broadcasts:
        return []
    if got is not None and wanted is not None:
        if got != wanted:
            errors.fail("labels", f"as many rows as inputs ({wanted})", got)
        return []
    rows, expected = tf.shape(labels)[0], tf.shape(inputs)[0]
    good = tf.equal(rows, expected)
    if one_row_broadcasts:
        good = tf.logical_or(good, tf.equal(rows, 1))
    return errors.require(good, "labels", "as many rows as inputs", [rows, expected])


def may_equal(size: Optional[int], expected: Optional[int]) -> bool:
    """Returns whether two sizes are equal as far as they are known."""
    return size is None or expected is None or size == expected


def kind(tensor: tf.Tensor) -> str:
    """Returns dtype and shape, for a message."""
    return f"{tensor.dtype.name} {tensor.shape}"
