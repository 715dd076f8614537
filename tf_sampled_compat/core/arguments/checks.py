"""Every validation of an argument. See `errors` for the form of what they say."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of, static_size_of

STRATEGIES = ("div", "mod")
POSITIVE_COUNTS = "positive finite counts (the loss takes their logarithm)"


def size_attribute(argument: str, value: Any) -> Optional[int]:
    """Checks a count that must be at least 1; returns it, or None where it is a dynamic tensor."""
    if tf.is_tensor(value):
        value = tf.get_static_value(value)
        if value is None:
            return None
        value = value.item() if value.ndim == 0 else value
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        errors.fail(argument, "an integer", repr(value), errors.ArgumentTypeError)
    if value < 1:
        errors.fail(argument, "at least 1 (TensorFlow: must be at least minimum 1)", value)
    return int(value)


def static_size(argument: str, value: Any) -> int:
    """Checks a count that must be at least 1 and known while the call is traced."""
    size = size_attribute(argument, value)
    if size is None:
        errors.fail(argument, "a number that is known while the call is traced", value)
    return size


def integer(argument: str, value: Any) -> None:
    """Checks a Python or NumPy integer."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        errors.fail(argument, "an integer or None", repr(value), errors.ArgumentTypeError)


def sampler(value: Any, free: bool) -> None:
    """Checks a sampler, which stands in for `sampled_values`."""
    if value is None:
        return
    if not callable(value):
        errors.fail(
            "sampler",
            "a callable with the signature of a candidate sampler (what one has returned is "
            "sampled_values)",
            repr(value),
            errors.ArgumentTypeError,
        )
    if not free:
        errors.fail("sampler, sampled_values", "one of them", "both")


def partition_strategy(value: Any) -> str:
    """Checks a partition strategy, for one tensor as for a list."""
    if value not in STRATEGIES:
        errors.fail("partition_strategy", "'div' or 'mod'", repr(value))
    return value


def misplaced_arguments(name: Any, seed: Any) -> None:
    """Finds a partition strategy that a positional call put into `name` or `seed`."""
    if isinstance(seed, str) and seed not in STRATEGIES:
        errors.fail("seed", "an integer or None", repr(seed), errors.ArgumentTypeError)
    for argument, value in (("name", name), ("seed", seed)):
        if isinstance(value, str) and value in STRATEGIES:
            errors.fail(
                argument,
                "no partition strategy: positional arguments were written for another TensorFlow's "
                "signature (TF 1 has partition_strategy before name); pass "
                f"partition_strategy={value!r} by keyword",
                repr(value),
            )


def labels_and_inputs(labels: tf.Tensor, inputs: tf.Tensor) -> None:
    """Checks kinds of dtype, which tell swapped arguments, before any shape confuses the matter."""
    if inputs.dtype.is_floating:
        wide = labels.shape.rank == 2 and size_of(labels, 1) not in (None, 1)
        if labels.dtype.is_floating and wide:
            if inputs.shape.rank == 2 and size_of(inputs, 1) == 1:
                errors.fail(
                    "labels, inputs",
                    "class ids and activations (they look swapped)",
                    f"labels {_kind(labels)}, inputs {_kind(inputs)}",
                )
        numbers_only("labels", labels.dtype)
        return
    if labels.dtype.is_floating:
        errors.fail(
            "labels, inputs",
            "integer class ids as labels and floating-point activations as inputs: they are "
            "swapped (TF 0.x took inputs before labels; tf_sampled_compat.compat.v0.nn still does)",
            f"labels {_kind(labels)}, inputs {_kind(inputs)}",
        )
    errors.fail(
        "inputs",
        "a floating-point tensor of shape [batch_size, dim]",
        _kind(inputs),
        errors.ArgumentTypeError,
    )


def numbers_only(argument: str, dtype: tf.DType) -> None:
    """Checks that a tensor holds numbers, where a cast would fail without naming it."""
    if dtype == tf.string or not dtype.is_numpy_compatible:
        errors.fail(argument, "numbers", f"dtype {dtype.name}", errors.ArgumentTypeError)


def dim(pieces: Sequence[Any]) -> Optional[int]:
    """Returns how many numbers the rows of the weights have, which must be one for all pieces."""
    sizes = [size_of(piece, 1) for piece in pieces if piece.shape.rank]
    widths = {size for size in sizes if size is not None}
    if len(widths) > 1:
        errors.fail("weights", "pieces of one width (dim)", f"widths {sorted(widths)}")
    return widths.pop() if widths else None


def shapes(
    labels: tf.Tensor, inputs: tf.Tensor, dim: Optional[int], num_true: int, flat_allowed: bool
) -> None:
    """Checks what is known of the shapes of labels, inputs and table rows against one another."""
    if inputs.shape.rank not in (None, 2):
        errors.fail("inputs", "shape [batch_size, dim]", _kind(inputs))
    if inputs.shape.rank == 2 and not _may_equal(size_of(inputs, 1), dim):
        errors.fail(
            "inputs",
            f"shape [batch_size, {dim}], as the rows of weights have {dim} numbers",
            _kind(inputs),
        )
    expected = f"shape [batch_size, {num_true}] (num_true = {num_true})"
    if labels.shape.rank == 1 and flat_allowed:
        return
    if labels.shape.rank not in (None, 2):
        errors.fail("labels", expected, _kind(labels))
    if labels.shape.rank == 2 and not _may_equal(size_of(labels, 1), num_true):
        errors.fail("labels", expected, _kind(labels))


def width(
    argument: str, tensor: tf.Tensor, columns: Optional[int], flat_allowed: bool = False
) -> list[tf.Operation]:
    """Checks at run time that a tensor is a matrix of so many columns, if it was not known."""
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


def same_batch(labels: tf.Tensor, inputs: tf.Tensor) -> list[tf.Operation]:
    """Checks that labels and inputs have as many rows."""
    got, wanted = size_of(labels, 0), size_of(inputs, 0)
    if got is not None and wanted is not None:
        if got != wanted:
            errors.fail("labels", f"as many rows as inputs ({wanted})", got)
        return []
    rows, expected = tf.shape(labels)[0], tf.shape(inputs)[0]
    return errors.require(
        tf.equal(rows, expected), "labels", "as many rows as inputs", [rows, expected]
    )


def class_id_limit(
    weights_rows: Optional[int], biases_rows: Optional[int]
) -> tuple[Optional[int], str]:
    """Returns how many class ids there are, if that is known, and what is expected of one.

    A table longer than `num_classes` is TensorFlow's good custom, so the rows are the limit.
    """
    known = [rows for rows in (weights_rows, biases_rows) if rows is not None]
    if not known:
        return None, ""
    expected = f"class ids in [0, {min(known)})"
    if min(known) != weights_rows:
        expected += f", as biases have {biases_rows} rows"
    return min(known), expected


def ids_in_range(
    argument: str, ids: tf.Tensor, weights_rows: Optional[int], biases_rows: Optional[int]
) -> list[tf.Operation]:
    """Checks class ids against the rows of the tables, where their sizes are known."""
    limit, expected = class_id_limit(weights_rows, biases_rows)
    if limit is None or private.in_xla_context():
        return []
    lowest, highest = tf.reduce_min(ids), tf.reduce_max(ids)
    return errors.require(
        tf.logical_and(lowest >= 0, highest < limit),
        argument,
        expected,
        tf.where(lowest < 0, lowest, highest),
    )


def three_values(sampled_values: Any) -> tuple[Any, Any, Any]:
    """Unpacks `sampled_values`."""
    expected = "a tuple (sampled_candidates, true_expected_count, sampled_expected_count)"
    try:
        values = tuple(sampled_values)
    except TypeError:  # no iterable, or a tensor in a graph
        errors.fail("sampled_values", expected, repr(sampled_values), errors.ArgumentTypeError)
    if len(values) != 3:
        errors.fail("sampled_values", expected, f"{len(values)} values")
    return values


def sampled_candidates(sampled: tf.Tensor, num_sampled: Any) -> list[tf.Operation]:
    """Checks the candidates' shape; `num_sampled` is None where TensorFlow ignores it."""
    argument = "sampled_values: sampled_candidates"
    if sampled.shape.rank not in (None, 1):
        errors.fail(argument, "shape [num_sampled]", _kind(sampled))
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


def broadcasts(argument: str, count: tf.Tensor, target: Sequence[Any]) -> list[tf.Operation]:
    """Checks that an expected count broadcasts to `target` at most.

    A count of another shape (`[batch_size]`, say) would broadcast the logits to a larger matrix.
    """
    argument = f"sampled_values: {argument}"
    letters = "[batch_size, num_true]" if "true" in argument else "[num_sampled]"
    expected = f"shape {letters}, or one that broadcasts to it"
    static = [tf.get_static_value(size) for size in target]
    if count.shape.rank is not None:
        sizes = [None] * (len(target) - count.shape.rank) + count.shape.as_list()
        fits = count.shape.rank <= len(target) and all(
            size in (None, 1) or _may_equal(size, want) for size, want in zip(sizes, static)
        )
        if not fits:
            errors.fail(argument, expected, _kind(count))
    known = count.shape.is_fully_defined() and None not in static
    if known or count.shape.rank == 0 or private.in_xla_context():
        return []
    return errors.require(
        _fits(tf.shape(count), tf.stack(list(target))), argument, expected, tf.shape(count)
    )


def positive_count(argument: str, count: tf.Tensor) -> list[tf.Operation]:
    """Checks that an expected count is positive and finite.

    Another would make the loss of every row NaN, without a word.
    """
    lowest, highest = tf.reduce_min(count), tf.reduce_max(count)
    return errors.require(
        tf.reduce_all(tf.logical_and(count > 0, tf.math.is_finite(count))),
        f"sampled_values: {argument}",
        POSITIVE_COUNTS,
        tf.where(lowest > 0, highest, lowest),
    )


def temperature(value: Any) -> list[tf.Operation]:
    """Checks a resampling temperature, which divides the logits."""
    if value is None or isinstance(value, (str, bytes)):
        errors.fail("resampling_temperature", "a positive finite number", repr(value))
    value = tf.convert_to_tensor(value)
    numbers_only("resampling_temperature", value.dtype)
    value = value if value.dtype.is_floating else tf.cast(value, tf.float32)
    known = tf.get_static_value(value)
    if known is not None and known.ndim == 0 and not (known > 0 and math.isfinite(known)):
        errors.fail("resampling_temperature", "a positive finite number", known)
    if value.shape.rank not in (None, 0):
        errors.fail("resampling_temperature", "a scalar", _kind(value))
    scalar = []
    if value.shape.rank is None:
        shape = tf.shape(value)
        scalar = errors.require(
            tf.equal(tf.size(shape), 0), "resampling_temperature", "a scalar", shape
        )
    good = tf.reduce_all(tf.logical_and(value > 0, tf.math.is_finite(value)))
    return scalar + errors.require(
        good, "resampling_temperature", "a positive finite number", value
    )


def at_most(argument: str, value: Any, limit: Any) -> None:
    """Checks an integer against a limit, where both are known."""
    if isinstance(value, int) and isinstance(limit, int) and value > limit:
        errors.fail(argument, f"at most {limit}, the number of classes", value)


def resampling_sizes(num_sampled: int, num_resampled: int, num_classes: int) -> None:
    """Checks that TAPAS has something to choose from."""
    for argument, value in (
        ("num_sampled", num_sampled),
        ("num_resampled", num_resampled),
        ("num_classes", num_classes),
    ):
        size_attribute(argument, value)
    if num_sampled > num_classes:
        errors.fail("num_sampled", f"at most num_classes = {num_classes}", num_sampled)
    if num_sampled <= num_resampled:
        errors.fail("num_resampled", f"less than num_sampled = {num_sampled}", num_resampled)


def unigram_weights(weights: Iterable[float], source: str) -> None:
    """Checks the weights of a fixed unigram sampler, of which TensorFlow accepts any."""
    for weight in weights:
        if not (weight >= 0 and math.isfinite(weight)):
            errors.fail(source, "finite weights that are not negative", weight)


def _fits(shape: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Whether a tensor of this shape broadcasts to the target, and not the target to it."""
    missing = tf.size(target) - tf.size(shape)
    padded = tf.concat([tf.ones([tf.maximum(missing, 0)], tf.int32), shape], axis=0)
    sizes = padded[-static_size_of(target, 0) :]
    return (missing >= 0) & tf.reduce_all(tf.equal(sizes, 1) | tf.equal(sizes, target))


def _may_equal(size: Optional[int], expected: Optional[int]) -> bool:
    return size is None or expected is None or size == expected


def _kind(tensor: tf.Tensor) -> str:
    return f"{tensor.dtype.name} {tensor.shape}"
