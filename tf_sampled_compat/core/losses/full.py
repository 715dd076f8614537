"""Exact losses and rankings over all classes, without a `[B, C]` matrix of logits.

Blocks of rows are looked up one after another. The backend reduces each block, and the results are
folded into `[B]` (or `[B, k]`). So any kind of table works, and memory does not grow with the
number of classes. (Only the gradient for the table does: it has a row for every class.)
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.conversion import as_tensor
from tf_sampled_compat.core.arguments.typing import ScalarLike, TableLike, TensorLike
from tf_sampled_compat.core.backends.choice import choose, describe
from tf_sampled_compat.core.backends.interface import Backend, SumKind
from tf_sampled_compat.core.losses import all_classes, composed
from tf_sampled_compat.core.losses.blocks import fold_blocks, num_classes_of
from tf_sampled_compat.core.losses.description import PLAIN, Arguments, Composition
from tf_sampled_compat.core.losses.prepare import Batch, prepare
from tf_sampled_compat.core.losses.restriction import restrict
from tf_sampled_compat.core.tf.ranking import top_k_with_nan
from tf_sampled_compat.core.tf.shapes import size_of, with_shape


def full_loss(
    kind: SumKind,
    arguments: Arguments,
    *,
    composition: Composition = PLAIN,
    num_classes: Any = None,
    trains: Optional[bool] = None,
    implementation: Optional[str] = None,
    name: Optional[str] = None,
) -> tf.Tensor:
    """Computes the `[B]` losses over all classes c, in the dtype of the inputs.

    softmax: log Σ_c exp(logit_c) - (1/T) Σ_t logit(true_t)
    sigmoid: Σ_c softplus(logit_c) - (1/T) Σ_t logit(true_t)

    Args:
      kind: "softmax" or "sigmoid".
      arguments: The tensors.
      composition: Further terms; see `losses.composed`.
      num_classes: C, or None for all rows of the table.
      trains: Whether to compute in the way that suits a gradient; see `all_classes`. None asks
        whether a tape is recording.
      implementation: "fused", "composite" or None.
      name: The caller's name for the operation.
    """
    function = f"full_{kind}_loss"
    checks.name(name)
    with tf.compat.v1.name_scope(name, function):
        batch = _prepared(arguments)
        total = num_classes_of(batch, num_classes)
        backend = _backend(batch, implementation, function)
        batch = batch._replace(labels=_classes(batch, backend, total))
        parts = None
        if all_classes.may_train() if trains is None else trains:
            parts = all_classes.read(batch, num_classes)
            terms = all_classes.of_parts(batch, backend, kind, parts)
        else:
            terms = all_classes.by_blocks(batch, backend, kind, num_classes)
        there = functools.partial(_is_class, batch.labels_of_rows(), total)
        terms = terms._replace(true_logits=errors.nan_unless(there, terms.true_logits))
        of_all = None
        if composition.label_smoothing:
            of_all = all_classes.sum_of_logits(batch, num_classes, parts)
        loss = composed.exact(kind, terms, of_all, total, batch, composition)
        return tf.cast(tf.ensure_shape(loss, [size_of(batch.inputs, 0)]), batch.dtype)


def full_top_k(
    *,
    weights: TableLike,
    biases: TableLike,
    inputs: TensorLike,
    k: int,
    num_classes: Any = None,
    exclude: Any = None,
    padding_label: Optional[int] = None,
    allowed: Any = None,
    partition_strategy: str = "div",
    temperature: Optional[ScalarLike] = None,
    normalize: bool = False,
    implementation: Optional[str] = None,
    portable: bool = False,
    name: Optional[str] = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the k highest logits: the highest first, and among equals the lower id first.

    A NaN ranks as -∞.

    Args:
      weights: See `Arguments`.
      biases: See `Arguments`.
      inputs: `[B, D]` activations.
      k: The number of classes to find.
      num_classes: C, or None for all rows of the table.
      exclude: See `restriction.restrict`.
      padding_label: See `restriction.restrict`.
      allowed: See `restriction.restrict`.
      partition_strategy: "div" or "mod".
      temperature: See `Arguments`.
      normalize: See `Arguments`.
      implementation: "fused", "composite" or None.
      portable: Whether a graph must hold TensorFlow's ops alone, unless "fused" is asked for.
      name: The caller's name for the operation.

    Returns:
      `[B, k]` logits and `[B, k]` int64 ids; -∞ and -1 where no class is left.
    """
    checks.name(name)
    with tf.compat.v1.name_scope(name, "full_top_k"):
        queries = as_tensor("inputs", inputs)
        if queries.shape.rank not in (None, 2):
            errors.fail("inputs", "shape [batch_size, dim]", checks.kind(queries))
        no_labels = tf.zeros([tf.shape(queries)[0], 1], tf.int64)
        batch = prepare(
            Arguments(
                weights=weights,
                biases=biases,
                labels=no_labels,
                inputs=queries,
                partition_strategy=partition_strategy,
                temperature=temperature,
                normalize=normalize,
            )
        )
        most = checks.known_size("k", k)
        total = num_classes_of(batch, num_classes)
        checks.at_most("k", most, total)
        backend = _backend(batch, implementation, "full_top_k", portable)
        limits = restrict(batch, total, exclude, padding_label, allowed)
        if limits is None:
            values, ids = _best(batch, backend, most, num_classes, None)
        else:
            wanted = limits.wanted(most)
            found = _best(limits.batch, backend, wanted, num_classes, limits.classes)
            values, ids = limits.keep(*found, most)
        # A reshape checks the size as ensure_shape does, and TFLite knows it.
        shape = [tf.shape(batch.inputs)[0], most]
        values = tf.cast(tf.reshape(values, shape), batch.dtype)
        static = [size_of(batch.inputs, 0), most]
        return with_shape(values, static), with_shape(tf.reshape(ids, shape), static)


def _best(
    batch: Batch, backend: Backend, most: Any, num_classes: Any, classes: Optional[tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the `most` best classes, or all if there are fewer, with logits to compute with."""
    size = [tf.shape(batch.inputs)[0], 0]
    no_bar = tf.fill([size[0], 1], tf.constant(float("nan"), batch.compute_dtype))

    def fold(best: tuple, rows: tf.Tensor, biases: tf.Tensor, first_id: tf.Tensor) -> tuple:
        count = tf.minimum(most, tf.shape(rows)[0])
        # A logit below the k-th best so far is not kept, so most blocks add nothing.
        bar = tf.concat([best[0][:, most - 1 : most], no_bar], axis=1)[:, 0]
        values, positions = backend.top_k(batch.inputs, rows, biases, count, bar)
        values = tf.concat([best[0], values], axis=1)
        ids = tf.concat([best[1], positions + first_id], axis=1)
        # Earlier ids are lower and come first, so the ranking prefers them among equals.
        values, kept = top_k_with_nan(values, tf.minimum(most, tf.shape(values)[1]))
        return values, tf.gather(ids, kept, batch_dims=1)

    start = (tf.zeros(size, batch.compute_dtype), tf.zeros(size, tf.int64))
    least = most if isinstance(most, int) else 1
    values, ids = fold_blocks(batch, num_classes, fold, start, least_rows=least, classes=classes)
    return values, ids if classes is None else tf.gather(classes, ids)


def ranks(
    arguments: Arguments, *, num_classes: Any = None, implementation: Optional[str] = None
) -> tf.Tensor:
    """Returns the `[B, T]` int64 ranks of the true classes; the highest logit has rank 1.

    As in `full_top_k`, the lower id comes first among equals. A NaN logit ranks last, so that a
    diverged model gets bad ranks. The rank of a label that is no class means nothing.
    """
    batch = _prepared(arguments)
    backend = _backend(batch, implementation, "ranks")
    rows = batch.weights.num_rows, batch.biases.num_rows
    batch = batch._replace(labels=backend.check_ids("labels", batch.labels, *rows))
    width = size_of(batch.labels, 1)
    true_logits = _true_logits(batch)

    def fold(count: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
        logits = backend.logits(batch.inputs, rows, biases)
        ids = first + tf.range(tf.shape(rows, out_type=tf.int64)[0])

        def before(t: Any) -> tf.Tensor:
            true_logit, true_id = true_logits[:, t, None], batch.labels[:, t, None]
            later_equal = tf.logical_and(tf.equal(logits, true_logit), ids > true_id)
            behind = tf.logical_or(logits < true_logit, later_equal)
            itself_or_behind = tf.logical_or(behind, tf.equal(ids, true_id))
            return tf.math.count_nonzero(tf.logical_not(itself_or_behind), axis=1)

        if width is not None:
            return count + tf.stack([before(t) for t in range(width)], axis=1)
        columns = tf.range(tf.shape(batch.labels)[1])
        return count + tf.transpose(tf.map_fn(before, columns, fn_output_signature=tf.int64))

    return fold_blocks(batch, num_classes, fold, tf.ones_like(batch.labels))


def _prepared(arguments: Arguments) -> Batch:
    """Prepares the tensors. Labels with a `true_mask` may have a width that no graph knows."""
    labels, mask = arguments.labels, arguments.true_mask
    if mask is None or size_of(labels, 1) is not None:
        return prepare(arguments)
    one = tf.zeros([tf.shape(labels)[0], 1], tf.int64)
    batch = prepare(replace(arguments, labels=one, num_true=1, true_mask=None))
    return batch._replace(labels=tf.where(mask, labels, 0), true_mask=mask)


def _backend(
    batch: Batch, implementation: Optional[str], function: str, portable: bool = False
) -> Backend:
    """Chooses. (Padding among the true classes concerns no sum over all classes.)"""
    about = describe(inputs=batch.inputs, weights=batch.weights.pieces, biases=batch.biases.pieces)
    may_be_exported = portable and not tf.executing_eagerly()
    about = about._replace(portable=about.portable or may_be_exported)
    return choose(implementation, about, function)


def _classes(batch: Batch, backend: Backend, total: Any) -> tf.Tensor:
    """Returns the labels, checked to be classes."""
    labels = batch.labels
    if isinstance(total, int):
        return backend.check_ids("labels", labels, total, batch.biases.num_rows)
    lowest, highest = tf.reduce_min(labels), tf.reduce_max(labels)
    good = tf.reduce_all(_is_class(labels, total))
    wrong = tf.where(lowest < 0, lowest, highest)
    return errors.after(errors.require(good, "labels", "class ids of the table", wrong), labels)


def _is_class(labels: tf.Tensor, total: Any) -> tf.Tensor:
    return tf.logical_and(labels >= 0, labels < tf.cast(total, tf.int64))


def _true_logits(batch: Batch) -> tf.Tensor:
    """Returns the `[B, T]` logits of the true classes, in the compute dtype."""
    dtype, flat = batch.compute_dtype, tf.reshape(batch.labels, [-1])
    rows = tf.cast(batch.rows(flat), dtype)
    rows = tf.reshape(rows, tf.concat([tf.shape(batch.labels), tf.shape(rows)[1:]], axis=0))
    biases = tf.reshape(batch.row_biases(flat), tf.shape(batch.labels))
    inputs = tf.expand_dims(tf.cast(batch.inputs, dtype), 1)
    logits = tf.reduce_sum(inputs * rows, axis=2) + biases
    return batch.nan_where_out_of_range(logits, batch.labels)
