r"""Losses of more terms than TensorFlow's, composed of what a backend returns of a batch.

With r the raw logit of a class and τ the temperature, z = r / τ is its logit, and l = z - log E the
corrected one, E being the expected count. N is the negatives' term of `interface.Terms`, and a the
`label_weights`, by default 1 / T for the T true classes of a row. The losses are

    softmax:  Σ_t a_t (L - l_t) + ε Σ_t a_t (z_t - m) + z_loss · Ẑ²
              L = logaddexp(N, log Σ_t exp l_t),  Ẑ = logaddexp(N, log Σ_t exp z_t)
    sigmoid:  Σ_t H_β(y_t, l_t) + Σ_s H_1(ε/2, l_s),  y = a (1 - ε) + ε/2
              H_β(y, l) = -β y log σ(l) - (1 - y) log(1 - σ(l))

where ε is the `label_smoothing`, β is 1 but in a generalised binary cross entropy, and m is the
estimate of the mean logit of all classes from all candidates, accidental hits included:

    m = Σ_s (z_s / E_s) / Σ_s (1 / E_s)

Over all classes, L = log Σ_c exp z_c, l = z, and m is the mean itself. In l, a margin changes the
cosines of the true classes. Ẑ has no E of the true classes, so that a rare class costs no more.
`part_weights` multiply the part of each true class.
"""

from __future__ import annotations

from typing import Any, Optional, Protocol

import tensorflow as tf

from tf_sampled_compat.core.backends.interface import Backend, Gathered, SumKind, Terms
from tf_sampled_compat.core.losses import exclusion
from tf_sampled_compat.core.losses.description import Composition, SampledLoss
from tf_sampled_compat.core.losses.draw import Drawn
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.tf.shapes import size_of
from tf_sampled_compat.core.tf.take import take


class TrueClasses(Protocol):
    """What is known of the true classes of a batch; see `prepare.Batch`, which has it."""

    @property
    def num_true(self) -> int:
        """T."""
        ...

    @property
    def true_mask(self) -> Optional[tf.Tensor]:
        """`[B, T]`: whether a label is a true class; None if all are."""
        ...

    @property
    def label_weights(self) -> Optional[tf.Tensor]:
        """`[B, T]`: a; or None."""
        ...

    @property
    def part_weights(self) -> Optional[tf.Tensor]:
        """`[B, T]`, or None."""
        ...

    @property
    def temperature(self) -> Optional[tf.Tensor]:
        """τ; None for 1."""
        ...


def sampled(
    loss: SampledLoss, drawn: Drawn, gathered: Gathered, name: Optional[str] = None
) -> tf.Tensor:
    """Returns the `[B]` sampled losses, in the dtype of the inputs.

    Args:
      loss: The loss.
      drawn: The batch and the backend.
      gathered: The same batch, gathered.
      name: The name of the operation that returns the losses.
    """
    kind: SumKind = "sigmoid" if loss.kind == "sigmoid" else "softmax"
    backend, batch, how = drawn.backend, drawn.batch, loss.composition
    offset = gathered.true_offset
    if loss.exclude_true:
        if loss.sampling.has_counts:
            gathered = gathered._replace(row_offset=-exclusion.log_growth(drawn, gathered))
        if kind == "softmax":
            # The true classes are always in the sum: their expected count is 1. NaN stays NaN.
            # But NCE compares a class with the noise, which contains it as often as before.
            offset = offset * 0
    gathered = gathered._replace(true_offset=offset)
    mean = None
    if how.label_smoothing and kind == "softmax":
        present = drawn.present(drawn.candidates.sampled_candidates)
        mean = _estimated_mean(gathered, present)
    values = of_gathered(backend, gathered, kind, batch, how, mean)
    return tf.ensure_shape(tf.cast(values, batch.dtype), [size_of(batch.inputs, 0)], name=name)


def of_gathered(
    backend: Backend,
    gathered: Gathered,
    kind: SumKind,
    true: TrueClasses,
    how: Composition,
    mean: Optional[tf.Tensor] = None,
) -> tf.Tensor:
    """Returns the `[B]` losses of a gathered batch, in the compute dtype.

    Args:
      backend: Computes the terms.
      gathered: The batch.
      kind: "softmax" or "sigmoid".
      true: What is known of the true classes.
      how: The composition.
      mean: `[B]`: m, for "softmax" with label smoothing.
    """
    offset = gathered.true_offset
    # Without the offset, the logits are z, which the terms need without cancellation.
    gathered = gathered._replace(true_offset=tf.zeros_like(offset))
    terms = _with_row_offset(backend, gathered, kind)
    logits = terms.true_logits
    corrected = _with_margin(logits, gathered, true, how) + offset
    if kind == "sigmoid":
        values = terms.negatives + _of_true_classes(corrected, true, how)
        if how.label_smoothing:
            values -= how.label_smoothing / 2 * backend.sum_of_negatives(gathered)
        return values
    values = _cross_entropy(terms.negatives, corrected, true)
    values += _smoothing(logits, mean, true, how)
    if how.z_loss:
        total = _log_add(terms.negatives, _there(logits, true, _lowest(logits)))
        values += how.z_loss * tf.square(total)
    return _of_rows_with_true(values, true)


def exact(
    kind: SumKind,
    terms: Terms,
    sum_of_logits: Optional[tf.Tensor],
    num_classes: Any,
    true: Batch,
    how: Composition,
) -> tf.Tensor:
    """Returns the `[B]` losses over all classes, in the compute dtype.

    Args:
      kind: "softmax" or "sigmoid".
      terms: The terms over all classes. A class that is twice in a row counts once in the sums.
      sum_of_logits: `[B]`: Σ_c z_c; None without label smoothing.
      num_classes: C.
      true: The batch.
      how: The composition.
    """
    logits, copies = terms.true_logits, _copies(true)
    changed = logits
    if how.margin is not None:
        flat = tf.reshape(true.labels_of_rows(), [-1])
        biases = tf.reshape(true.row_biases(flat), tf.shape(logits))
        changed = _changed(logits, biases, true, how)
    if kind == "sigmoid":
        values = terms.negatives + _of_true_classes(changed, true, how)
        if copies is not None:
            again = tf.where(copies, tf.nn.softplus(changed), tf.zeros_like(changed))
            values -= tf.reduce_sum(again, axis=1)
        if sum_of_logits is not None:
            of_true = tf.reduce_sum(_there(logits, true, 0), axis=1)
            values -= how.label_smoothing / 2 * (sum_of_logits - of_true)
        return values
    mean = None
    if sum_of_logits is not None:
        mean = sum_of_logits / tf.cast(num_classes, sum_of_logits.dtype)
    values = _cross_entropy(terms.negatives, changed, true, copies)
    values += _smoothing(logits, mean, true, how)
    if how.z_loss:
        total = _log_add(terms.negatives, _summands(logits, true, copies))
        values += how.z_loss * tf.square(total)
    return _of_rows_with_true(values, true)


def _copies(true: Batch) -> Optional[tf.Tensor]:
    """Returns `[B, T]`: whether a true class stands earlier in its row; None if T = 1."""
    labels = true.labels_of_rows()
    if size_of(labels, 1) == 1:
        return None
    same = tf.equal(labels[:, :, tf.newaxis], labels[:, tf.newaxis, :])
    if true.true_mask is not None:
        same = tf.logical_and(same, true.true_mask[:, tf.newaxis, :])
        same = tf.logical_and(same, true.true_mask[:, :, tf.newaxis])
    places = tf.range(tf.shape(labels)[1])
    return tf.reduce_any(tf.logical_and(same, places[:, tf.newaxis] > places), axis=2)


def _with_row_offset(backend: Backend, gathered: Gathered, kind: SumKind) -> Terms:
    """Returns the terms, with `row_offset` added to the logits of a row's candidates."""
    offset = gathered.row_offset
    if offset is None:
        return backend.terms(gathered, kind)
    if kind == "softmax":
        terms = backend.terms(gathered, kind)
        return terms._replace(negatives=terms.negatives + offset)
    if gathered.own_logits is not None:
        sampled_offset = gathered.sampled_offset + offset[:, tf.newaxis]
        return backend.terms(gathered._replace(sampled_offset=sampled_offset), kind)
    # A column of the offsets beside a column of ones adds them to all logits of a row.
    dtype = gathered.compute_dtype
    inputs, rows = tf.cast(gathered.inputs, dtype), tf.cast(gathered.rows, dtype)
    wider = gathered._replace(
        inputs=tf.concat([inputs, offset[:, tf.newaxis]], axis=1),
        rows=tf.concat([rows, tf.ones_like(rows[:, :1])], axis=1),
    )
    terms = backend.terms(wider, kind)
    return terms._replace(true_logits=terms.true_logits - offset[:, tf.newaxis])


def _with_margin(
    logits: tf.Tensor, gathered: Gathered, true: TrueClasses, how: Composition
) -> tf.Tensor:
    """Returns the `[B, T]` logits, with a margin in the cosines of the true classes."""
    if how.margin is None:
        return logits
    return _changed(logits, take(gathered.row_biases, gathered.true_positions), true, how)


def _changed(
    logits: tf.Tensor, biases: tf.Tensor, true: TrueClasses, how: Composition
) -> tf.Tensor:
    """Returns the logits of true classes, given their biases, with the margin in their cosines."""
    assert how.margin is not None
    cosines = logits - biases  # Divided by the temperature, as biases are.
    if true.temperature is not None:
        cosines *= true.temperature
    changed = tf.convert_to_tensor(how.margin(cosines))
    if true.temperature is not None:
        changed /= true.temperature
    return changed + biases


def _cross_entropy(
    negatives: tf.Tensor,
    logits: tf.Tensor,
    true: TrueClasses,
    copies: Optional[tf.Tensor] = None,
) -> tf.Tensor:
    """Returns Σ_t a_t (L - l_t)."""
    if size_of(logits, 1) == 1:  # L - l is small if the model is right. This loses no digits of it.
        parts = tf.nn.softplus(negatives[:, tf.newaxis] - _there(logits, true, 0))
    else:
        total = _log_add(negatives, _summands(logits, true, copies))
        parts = total[:, tf.newaxis] - _there(logits, true, 0)
    return tf.reduce_sum(_weighted(_shares(logits, true) * parts, true), axis=1)


def _summands(logits: tf.Tensor, true: TrueClasses, copies: Optional[tf.Tensor]) -> tf.Tensor:
    """Returns the logits of the true classes that a sum counts; the others are lowest."""
    logits = _there(logits, true, _lowest(logits))
    return logits if copies is None else tf.where(copies, _lowest(logits), logits)


def _smoothing(
    logits: tf.Tensor, mean: Optional[tf.Tensor], true: TrueClasses, how: Composition
) -> Any:
    """Returns ε Σ_t a_t (z_t - m), or 0."""
    if mean is None:
        return 0.0
    parts = _shares(logits, true) * (_there(logits, true, 0) - mean[:, tf.newaxis])
    return how.label_smoothing * tf.reduce_sum(_weighted(parts, true), axis=1)


def _of_true_classes(logits: tf.Tensor, true: TrueClasses, how: Composition) -> tf.Tensor:
    """Returns Σ_t H(y_t, σ(l_t))."""
    shares = _shares(logits, true)
    if how.power is not None and true.label_weights is None:
        shares = tf.ones_like(logits)  # Each true class has the target 1.
    if how.label_smoothing:
        shares = shares * (1 - how.label_smoothing) + how.label_smoothing / 2
    logits = _there(logits, true, 0)
    parts = tf.nn.softplus(logits) - shares * logits
    if how.power is not None:
        parts += (how.power - 1) * shares * tf.nn.softplus(-logits)
    parts = _there(parts, true, 0)
    return tf.reduce_sum(_weighted(parts, true), axis=1)


def _estimated_mean(gathered: Gathered, present: Optional[tf.Tensor]) -> tf.Tensor:
    """Returns m: `[B]`. It is linear in the rows, so it needs no logits.

    Args:
      gathered: The true.
      present: `[S]`: whether there is a candidate in a place; None if there always is.
    """
    dtype, positions = gathered.compute_dtype, gathered.sampled_positions
    offset = gathered.sampled_offset
    shape = tf.shape(positions)
    if offset.shape.rank == 2 and positions.shape.rank == 1:
        shape = tf.concat([tf.shape(offset)[:1], shape], axis=0)
    offset = tf.broadcast_to(offset, shape)
    if present is not None:
        offset = tf.where(present, offset, _lowest(offset))
    # 1 / E as shares of their sum. A common factor of the expected counts cancels out.
    shares = tf.nn.softmax(offset)
    if gathered.own_logits is not None:
        return tf.reduce_sum(shares * gathered.own_logits[1], axis=1)
    size = tf.shape(gathered.rows)[0]
    inputs, rows = tf.cast(gathered.inputs, dtype), tf.cast(gathered.rows, dtype)
    if shares.shape.rank == 2:  # The counts differ from row to row.
        of_rows = tf.math.unsorted_segment_sum(tf.transpose(shares), positions, size)
        vectors = tf.matmul(of_rows, rows, transpose_a=True)
        biases = tf.linalg.matvec(of_rows, gathered.row_biases, transpose_a=True)
        return tf.reduce_sum(inputs * vectors, axis=1) + biases
    of_rows = tf.math.unsorted_segment_sum(shares, positions, size)
    vector = tf.linalg.matvec(rows, of_rows, transpose_a=True)
    return tf.linalg.matvec(inputs, vector) + tf.reduce_sum(of_rows * gathered.row_biases)


def _shares(logits: tf.Tensor, true: TrueClasses) -> tf.Tensor:
    """Returns a: `[B, T]`; 0 where a label is padding."""
    if true.label_weights is not None:
        return _there(true.label_weights, true, 0)
    there = _there(tf.ones_like(logits), true, 0)
    if true.true_mask is None:
        return there / true.num_true
    return there / tf.maximum(tf.reduce_sum(there, axis=1, keepdims=True), 1)


def _weighted(parts: tf.Tensor, true: TrueClasses) -> tf.Tensor:
    return parts if true.part_weights is None else parts * _there(true.part_weights, true, 0)


def _there(values: tf.Tensor, true: TrueClasses, otherwise: Any) -> tf.Tensor:
    """Replaces the values of padding."""
    if true.true_mask is None:
        return values
    return tf.where(true.true_mask, values, tf.cast(otherwise, values.dtype))


def _of_rows_with_true(values: tf.Tensor, true: TrueClasses) -> tf.Tensor:
    """Sets the losses of rows without a true class to 0."""
    if true.true_mask is None:
        return values
    return tf.where(tf.reduce_any(true.true_mask, axis=1), values, tf.zeros_like(values))


def _log_add(negatives: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns log(e^N + Σ_t e^logit_t): `[B]`."""
    return tf.reduce_logsumexp(tf.concat([negatives[:, tf.newaxis], logits], axis=1), axis=1)


def _lowest(logits: tf.Tensor) -> tf.Tensor:
    """Its exponential is 0. -∞ would make NaN of a row without a true class."""
    return tf.constant(logits.dtype.min / 2, logits.dtype)
