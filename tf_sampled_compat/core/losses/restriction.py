"""Which classes a ranking may return: `exclude` names some for each row, `allowed` for all rows.

No class is ranked twice. A ranking finds as many more classes as a row can exclude, and drops those
that are excluded from the few that it found. Of a list of allowed classes only the rows are read.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.tables.lookup import lookup
from tf_sampled_compat.core.tables.table import Table
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import size_of

# The id in a place for which no class is left.
NO_CLASS = -1
# Up to this many excluded ids are compared with each class that was found. More are sorted first.
_MOST_COMPARED = 64


class Restriction(NamedTuple):
    """The classes that may be returned.

    Attributes:
      batch: The batch to rank. Classes that a mask forbids have a bias of minus infinity.
      excluded: `[B, n]` or `[1, n]` int64 ids that a row excludes, or None. An id that is no class
        excludes nothing.
      mask: `[C]`: whether a class is allowed; or None.
      classes: `[m]` int64, ascending: the classes to rank; or None for all.
      num_ranked: The number of classes to rank, an integer or a tensor.
    """

    batch: Batch
    excluded: Optional[tf.Tensor]
    mask: Optional[tf.Tensor]
    classes: Optional[tf.Tensor]
    num_ranked: Any

    def wanted(self, k: int) -> Any:
        """Returns how many classes to find, so that k are left: an integer if possible."""
        if self.excluded is None:
            more = 0
        else:
            more = size_of(self.excluded, 1)
            more = tf.shape(self.excluded)[1] if more is None else more
        if isinstance(more, int) and isinstance(self.num_ranked, int):
            return max(min(k + more, self.num_ranked), 1)
        return k + more  # Fewer are found if there are fewer.

    def keep(self, values: tf.Tensor, ids: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the first k of the classes found that may be returned, `[B, k]`.

        Args:
          values: `[B, wanted]`, or fewer columns: the logits, in descending order.
          ids: The classes.
          k: The number of classes to keep. -∞ and `NO_CLASS` fill up what is missing.
        """
        out = self._are_out(ids)
        width = size_of(ids, 1)
        kept = tf.minimum(k, tf.shape(ids)[1]) if width is None else min(k, width)
        # Among equals, top_k takes the earlier place.
        _, places = tf.math.top_k(tf.cast(tf.logical_not(out), tf.int32), k=kept)
        values, ids, out = (tf.gather(t, places, batch_dims=1) for t in (values, ids, out))
        values = tf.where(out, _lowest(values), values)
        ids = tf.where(out, tf.constant(NO_CLASS, tf.int64), ids)
        if isinstance(kept, int) and kept == k:
            return values, ids
        missing = [[0, 0], [0, k - kept]]
        values = tf.pad(values, missing, constant_values=_lowest(values))
        return values, tf.pad(ids, missing, constant_values=NO_CLASS)

    def _are_out(self, ids: tf.Tensor) -> tf.Tensor:
        out = tf.zeros_like(ids, tf.bool)
        if self.excluded is not None:
            out = tf.logical_or(out, _is_among(ids, self.excluded))
        if self.mask is not None:
            out = tf.logical_or(out, tf.logical_not(tf.gather(self.mask, ids)))
        return out


def restrict(
    batch: Batch, num_classes: Any, exclude: Any, padding_label: Optional[int], allowed: Any
) -> Optional[Restriction]:
    """Converts and checks the arguments of a ranking; returns None if all classes may be returned.

    Args:
      batch: The prepared batch.
      num_classes: C, an integer or a tensor.
      exclude: `[B, n]` or `[n]` class ids, a RaggedTensor of them, or None.
      padding_label: An id in `exclude` that excludes nothing, or None.
      allowed: `[m]` class ids, or a `[C]` mask, or None.

    Raises:
      ArgumentError: For another dtype, rank or size, and for allowed ids that are no classes.
    """
    if padding_label is not None:
        checks.integer("padding_label", padding_label)
        if exclude is None:
            errors.fail("padding_label", "exclude=, whose ids it pads", "no exclude")
    if exclude is None and allowed is None:
        return None
    excluded = None if exclude is None else _excluded(batch, exclude, padding_label)
    made = Restriction(batch, excluded, None, None, num_classes)
    if allowed is None:
        return made
    allowed = _integers("allowed", allowed, "or a boolean mask of the classes")
    if allowed.shape.rank != 1:
        errors.fail("allowed", "class ids [m] or a mask [num_classes]", checks.kind(allowed))
    return _masked(made, allowed) if allowed.dtype == tf.bool else _listed(made, allowed)


def ids_to_exclude(exclude: Any) -> tf.Tensor:
    """Returns `[..., n]` int64 ids; the rows of a RaggedTensor are padded with -1."""
    if isinstance(exclude, tf.RaggedTensor):
        exclude = tf.cast(exclude, tf.int64).to_tensor(default_value=NO_CLASS)
    ids = _integers("exclude", exclude, "")
    if ids.dtype == tf.bool:
        errors.fail(
            "exclude",
            "integer class ids (a mask of the classes of all rows is allowed=)",
            checks.kind(ids),
            errors.ArgumentTypeError,
        )
    return tf.cast(ids, tf.int64)


def _excluded(batch: Batch, exclude: Any, padding_label: Optional[int]) -> tf.Tensor:
    ids = ids_to_exclude(exclude)
    if ids.shape.rank == 1:
        ids = ids[None]
    if ids.shape.rank != 2:
        errors.fail("exclude", "class ids of shape [batch_size, n] or [n]", checks.kind(ids))
    if padding_label is not None:
        ids = tf.where(tf.equal(ids, padding_label), tf.constant(NO_CLASS, tf.int64), ids)
    rows, wanted = size_of(ids, 0), size_of(batch.inputs, 0)
    expected = "as many rows as inputs"
    if rows is not None and wanted is not None:
        if rows not in (1, wanted):
            errors.fail("exclude", f"{expected} ({wanted})", rows)
        return ids
    if rows == 1:
        return ids
    rows, wanted = tf.shape(ids)[0], tf.shape(batch.inputs)[0]
    same = tf.logical_or(tf.equal(rows, wanted), tf.equal(rows, 1))
    return errors.after(errors.require(same, "exclude", expected, [rows, wanted]), ids)


def _integers(argument: str, value: Any, else_: str) -> tf.Tensor:
    ids = as_tensor(argument, value, f"integer class ids {else_}".strip())
    if ids.dtype.is_floating and ids.shape.num_elements() == 0:
        return tf.cast(ids, tf.int64)  # An empty list.
    if not (ids.dtype.is_integer or ids.dtype == tf.bool):
        expected = f"integer class ids {else_}".strip()
        errors.fail(argument, expected, checks.kind(ids), errors.ArgumentTypeError)
    return ids


def _masked(made: Restriction, mask: tf.Tensor) -> Restriction:
    size, total = size_of(mask, 0), made.num_ranked
    expected = "a value for each class"
    if isinstance(size, int) and isinstance(total, int):
        if size != total:
            errors.fail("allowed", f"{expected} ({total})", size)
    else:
        total = tf.cast(total, tf.int32)
        same = tf.equal(tf.shape(mask)[0], total)
        mask = errors.after(errors.require(same, "allowed", expected, tf.shape(mask)), mask)
    batch = made.batch
    biases = lookup(batch.biases, tf.range(tf.cast(total, tf.int64)))
    biases = tf.cast(biases, batch.compute_dtype)
    biases = tf.where(mask, biases, _lowest(biases))
    batch = batch._replace(biases=Table("biases", (biases,), "div"))
    return made._replace(batch=batch, mask=mask)


def _listed(made: Restriction, ids: tf.Tensor) -> Restriction:
    ids, total = tf.cast(ids, tf.int64), made.num_ranked
    limit = total if isinstance(total, int) else None
    ids = errors.after(checks.ids_in_range("allowed", ids, limit, None), ids)
    # Each class once. In ascending order, as among equal logits the lower id comes first.
    known = tf.get_static_value(ids)
    if known is not None:
        ids = tf.constant(np.unique(known), tf.int64)
    elif private.in_xla_context():
        # XLA knows no tensors whose size depends on values.
        return _masked(made, tf.scatter_nd(ids[:, None], tf.ones_like(ids), [total]) > 0)
    else:
        ids = tf.unique(tf.sort(ids))[0]
    size = size_of(ids, 0)
    return made._replace(classes=ids, num_ranked=tf.shape(ids)[0] if size is None else size)


def _is_among(ids: tf.Tensor, excluded: tf.Tensor) -> tf.Tensor:
    """Returns `[B, m]`: whether the row excludes a class."""
    count = size_of(excluded, 1)
    if count is not None and count <= _MOST_COMPARED:
        # TFLite knows expand_dims, but no new axis in a slice.
        same = tf.equal(tf.expand_dims(ids, 2), tf.expand_dims(excluded, 1))
        return tf.reduce_any(same, axis=2)
    # A last id above all others, so that each search ends at an id.
    excluded = tf.pad(excluded, [[0, 0], [0, 1]], constant_values=tf.int64.max)
    excluded = tf.sort(tf.broadcast_to(excluded, [tf.shape(ids)[0], tf.shape(excluded)[1]]))
    return tf.equal(tf.gather(excluded, tf.searchsorted(excluded, ids), batch_dims=1), ids)


def _lowest(values: tf.Tensor) -> tf.Tensor:
    return tf.constant(float("-inf"), values.dtype)
