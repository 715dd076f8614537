"""The arguments of an in-batch loss: converted, and checked against each other."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.checks.tensors import kind, may_equal
from tf_sampled_compat.core.arguments.conversion import as_tensor, booleans
from tf_sampled_compat.core.tf.shapes import size_of, with_shape

_OWN = "as many rows as queries: the i-th is the i-th query's own (negatives beyond those of the "
_OWN += "batch are extra_candidates)"


class Tensors(NamedTuple):
    """The activations of a batch of B rows, and K extra candidates. N = B + K.

    Attributes:
      queries: `[B, D]`.
      candidates: `[B, D]`.
      extra: `[K, D]`, or None.
      mask: `[B]` booleans: False for a row that is neither a query nor a candidate; or None.
    """

    queries: tf.Tensor
    candidates: tf.Tensor
    extra: Optional[tf.Tensor]
    mask: Optional[tf.Tensor]

    def rows(self) -> tf.Tensor:
        """Returns the `[N, D]` candidates, the batch's first."""
        if self.extra is None:
            return self.candidates
        return tf.concat([self.candidates, tf.cast(self.extra, self.candidates.dtype)], axis=0)

    def present(self) -> Optional[tf.Tensor]:
        """Returns `[N]` booleans: False for the candidates of masked rows; None without a mask."""
        if self.mask is None or self.extra is None:
            return self.mask
        return tf.concat([self.mask, tf.ones(tf.shape(self.extra)[:1], tf.bool)], axis=0)


def activations(queries: Any, candidates: Any, extra: Any, mask: Any) -> Tensors:
    """Converts activations. Those of masked rows become zero, as they may hold any value."""
    queries = _matrix("queries", queries, "[batch_size, dim]", None)
    dim = size_of(queries, 1)
    wide = "dim" if dim is None else dim
    candidates = _matrix("candidates", candidates, f"[batch_size, {wide}]", dim)
    assertions = _as_many("candidates", candidates, queries, _OWN)
    assertions += _as_wide("candidates", candidates, queries)
    candidates = errors.after(assertions, candidates)
    if extra is not None:
        extra = _matrix("extra_candidates", extra, f"[num_extra, {wide}]", dim)
        extra = errors.after(_as_wide("extra_candidates", extra, queries), extra)
    if mask is None:
        return Tensors(queries, candidates, extra, None)
    mask = _vector("mask", booleans("mask", mask), "[batch_size]")
    mask = errors.after(_as_many("mask", mask, queries, "a boolean for each query"), mask)
    column = mask[:, tf.newaxis]
    queries = tf.where(column, queries, tf.zeros_like(queries))
    candidates = tf.where(column, candidates, tf.zeros_like(candidates))
    return Tensors(queries, candidates, extra, mask)


def ids(candidate_ids: Any, extra_ids: Any, tensors: Tensors) -> Optional[tf.Tensor]:
    """Returns the `[N]` ids of all candidates, int64 or strings, or None if they have none."""
    extra = tensors.extra
    if candidate_ids is None:
        if extra_ids is not None:
            errors.fail("extra_ids", "candidate_ids beside them", "extra_ids alone")
        return None
    candidate_ids = _ids("candidate_ids", candidate_ids, "[batch_size]", tensors.queries)
    if extra is None:
        if extra_ids is not None:
            errors.fail("extra_ids", "extra_candidates, whose ids they are", "no extra_candidates")
        return candidate_ids
    if extra_ids is None:
        errors.fail("extra_ids", "the ids of extra_candidates, as candidate_ids are given", None)
    extra_ids = _ids("extra_ids", extra_ids, "[num_extra]", extra)
    if candidate_ids.dtype != extra_ids.dtype:
        errors.fail(
            "extra_ids", f"{candidate_ids.dtype.name}, as candidate_ids are", kind(extra_ids)
        )
    return tf.concat([candidate_ids, extra_ids], axis=0)


def keys(ids: Optional[tf.Tensor], rows: tf.Tensor) -> tf.Tensor:
    """Returns `[N]` int64 that are equal where ids are; without ids, all are different."""
    if ids is None:
        return tf.range(tf.shape(rows, tf.int64)[0])
    return tf.unique(ids, tf.int64)[1] if ids.dtype == tf.string else ids


def vector(argument: str, value: Any, shape: str, of: list[tf.Tensor]) -> tf.Tensor:
    """Converts numbers, one for each row of the tensors in `of`, to a float64 vector.

    A column, `[size, 1]`, passes too: samplers return such counts.
    """
    value = as_tensor(argument, value)
    checks.numbers_only(argument, value.dtype)
    value = _vector(argument, value, shape)
    known = [size_of(tensor, 0) for tensor in of]
    total = None if None in known else sum(size for size in known if size is not None)
    expected, got = f"shape {shape}", tf.shape(value)[0]
    if not may_equal(size_of(value, 0), total):
        errors.fail(argument, expected, kind(value))
    if size_of(value, 0) is None or total is None:
        want = tf.add_n([tf.shape(tensor)[0] for tensor in of])
        value = errors.after(errors.require(tf.equal(got, want), argument, expected, got), value)
    return tf.stop_gradient(tf.cast(value, tf.float64))


def _matrix(argument: str, value: Any, shape: str, dim: Optional[int]) -> tf.Tensor:
    value = as_tensor(argument, value)
    if not value.dtype.is_floating:
        expected = f"floating-point activations of shape {shape}"
        errors.fail(argument, expected, kind(value), errors.ArgumentTypeError)
    fits = value.shape.rank in (None, 2)
    if not fits or (value.shape.rank == 2 and not may_equal(size_of(value, 1), dim)):
        errors.fail(argument, f"shape {shape}", kind(value))
    value = errors.after(checks.width(argument, value, dim), value)
    return with_shape(value, [None, dim])


def _ids(argument: str, value: Any, shape: str, rows: tf.Tensor) -> tf.Tensor:
    value = as_tensor(argument, value)
    if not (value.dtype.is_integer or value.dtype == tf.string):
        expected = f"integers or strings of shape {shape}"
        errors.fail(argument, expected, kind(value), errors.ArgumentTypeError)
    value = _vector(argument, value, shape)
    value = value if value.dtype == tf.string else tf.cast(value, tf.int64)
    return errors.after(_as_many(argument, value, rows, "an id for each candidate"), value)


def _vector(argument: str, value: tf.Tensor, shape: str) -> tf.Tensor:
    """Returns a vector as it is, and a `[size, 1]` column as a vector."""
    if value.shape.rank == 2 and size_of(value, 1) == 1:
        return value[:, 0]
    if value.shape.rank not in (None, 1):
        errors.fail(argument, f"shape {shape}", kind(value))
    return value if value.shape.rank == 1 else tf.reshape(value, [-1])


def _as_wide(argument: str, value: tf.Tensor, queries: tf.Tensor) -> list[tf.Operation]:
    """Checks the width of activations when the graph runs, if it was unknown before."""
    if size_of(value, 1) is not None and size_of(queries, 1) is not None:
        return []
    fits = tf.equal(tf.shape(value)[1], tf.shape(queries)[1])
    return errors.require(fits, argument, "the dim of queries", tf.shape(value))


def _as_many(argument: str, value: tf.Tensor, rows: tf.Tensor, what: str) -> list[tf.Operation]:
    """Checks that a tensor has as many rows as another."""
    got, wanted = size_of(value, 0), size_of(rows, 0)
    if got is not None and wanted is not None:
        if got != wanted:
            errors.fail(argument, f"{what}, {wanted}", got)
        return []
    sizes = tf.shape(value)[0], tf.shape(rows)[0]
    return errors.require(tf.equal(*sizes), argument, what, list(sizes))
