"""Checks of `sampled_values`: the candidates and the expected counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.arguments.checks.tensors import kind, may_equal
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of, sizes, static_size_of

POSITIVE_COUNTS = "positive finite counts (the loss takes their logarithm)"


def three_values(sampled_values: Any) -> tuple[Any, Any, Any]:
    """Unpacks `sampled_values`."""
    expected = "a tuple (sampled_candidates, true_expected_count, sampled_expected_count)"
    try:
        values = tuple(sampled_values)
    except TypeError:  # Not iterable, or a tensor in a graph.
        errors.fail("sampled_values", expected, repr(sampled_values), errors.ArgumentTypeError)
    if len(values) != 3:
        errors.fail("sampled_values", expected, f"{len(values)} values")
    return values


def sampled_candidates(sampled: tf.Tensor, num_sampled: Any, batch_size: Any) -> list[tf.Operation]:
    """Checks the candidates' shape.

    Args:
      sampled: The candidates.
      num_sampled: S, or None where TensorFlow ignores it.
      batch_size: B, or None where a row cannot have candidates of its own.
    """
    argument = "sampled_values: sampled_candidates"
    if sampled.shape.rank == 2 and batch_size is not None:
        return _candidates_of_rows(argument, sampled, num_sampled, batch_size)
    if sampled.shape.rank not in (None, 1):
        shape = "shape [num_sampled]"
        if batch_size is not None:
            shape += ", or [batch_size, num_sampled]"
        errors.fail(argument, shape, kind(sampled))
    if sampled.shape.rank is None:
        vector = tf.equal(tf.rank(sampled), 1)
        return errors.require(vector, argument, "shape [num_sampled]", tf.shape(sampled))
    if num_sampled is None:
        return []
    size = tf.size(sampled) if size_of(sampled, 0) is None else size_of(sampled, 0)
    return errors.require(
        tf.equal(size, num_sampled),
        argument,
        f"num_sampled = {num_sampled} candidates",
        size,
    )


def _candidates_of_rows(
    argument: str, sampled: tf.Tensor, num_sampled: Any, batch_size: Any
) -> list[tf.Operation]:
    """Checks the shape of candidates `[B, S]`."""
    rows, columns = sizes(sampled)
    expected = "shape [num_sampled], or [batch_size, num_sampled]"
    if isinstance(batch_size, int):
        expected += f" with batch_size = {batch_size}, as inputs"
    got = tf.stack([rows, columns])
    assertions = errors.require(tf.equal(rows, batch_size), argument, expected, got)
    if num_sampled is not None:
        expected = f"num_sampled = {num_sampled} candidates for each row"
        assertions += errors.require(tf.equal(columns, num_sampled), argument, expected, columns)
    return assertions


def broadcasts(
    argument: str, count: tf.Tensor, target: Sequence[Any], *, of_rows: bool
) -> list[tf.Operation]:
    """Checks that an expected count broadcasts to `target`, and `target` not to it.

    A count of shape `[batch_size]`, for example, would broadcast the logits to a larger matrix.
    `of_rows` is whether the candidates differ from row to row, for the message.
    """
    argument = f"sampled_values: {argument}"
    of_sampled = "[batch_size, num_sampled]" if of_rows else "[num_sampled]"
    letters = "[batch_size, num_true]" if "true" in argument else of_sampled
    expected = f"shape {letters}, or one that broadcasts to it"
    static = [tf.get_static_value(size) for size in target]
    if count.shape.rank is not None:
        sizes = [None] * (len(target) - count.shape.rank) + count.shape.as_list()
        fits = count.shape.rank <= len(target) and all(
            size in (None, 1) or may_equal(size, want) for size, want in zip(sizes, static)
        )
        if not fits:
            errors.fail(argument, expected, kind(count))
    known = count.shape.is_fully_defined() and None not in static
    if known or count.shape.rank == 0 or private.in_xla_context():
        return []
    return errors.require(
        _fits(tf.shape(count), tf.stack(list(target))), argument, expected, tf.shape(count)
    )


def is_count(count: tf.Tensor) -> tf.Tensor:
    """Returns where an expected count, or another number, is positive and finite."""
    return tf.logical_and(count > 0, tf.math.is_finite(count))


def positive_count(argument: str, count: tf.Tensor) -> list[tf.Operation]:
    """Checks that an expected count is positive and finite.

    Any other count silently makes the loss of every row NaN.
    """
    lowest, highest = tf.reduce_min(count), tf.reduce_max(count)
    return errors.require(
        tf.reduce_all(is_count(count)),
        f"sampled_values: {argument}",
        POSITIVE_COUNTS,
        tf.where(lowest > 0, highest, lowest),
    )


def _fits(shape: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns whether this shape broadcasts to `target`, and `target` not to it."""
    missing = tf.size(target) - tf.size(shape)
    padded = tf.concat([tf.ones([tf.maximum(missing, 0)], tf.int32), shape], axis=0)
    sizes = padded[-static_size_of(target, 0) :]
    return (missing >= 0) & tf.reduce_all(tf.equal(sizes, 1) | tf.equal(sizes, target))
