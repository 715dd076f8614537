"""The rows of a batch that count in a metric, and what the metrics of a batch share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.losses import full
from tf_sampled_compat.core.losses.description import Arguments
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.keras_common import batch_rows
from tf_sampled_compat.keras_common.head_output import Tag


class Evaluated:
    """The M rows of a batch that count; each value of theirs is computed once.

    A row that is masked, has no true class or weighs nothing is left out. (XLA, whose shapes are
    fixed, keeps it with weight 0.)

    Attributes:
      labels: `[M, T]` int64 class ids.
      there: `[M, T]`: whether a label is a true class.
      label_weights: `[M, T]`: the weights of the true classes, 0 for no class; None if all are 1.
    """

    def __init__(
        self,
        tag: Tag,
        y_true: Any,
        num_true: Optional[int],
        *,
        none: Sequence[Optional[int]],
        mask: Any,
        weights: Any,
        weigh: bool,
    ):
        # The cache knows y_true and the weights by their ids, so they must live as long as this.
        self._kept = y_true, weights
        self._head, self._hidden = tag.head, tag.hidden
        if weights is not None and not isinstance(weights, tf.RaggedTensor):
            weights = tf.cast(weights, tf.float32)  # Keras 2 passes a mask of booleans.
        rows = batch_rows.rows_of(tag, y_true, num_true, mask=mask, none=none, weights=weights)
        there, self._seen, self._places = rows.true_mask, rows.seen, None
        parts = {
            "inputs": rows.inputs,
            "labels": rows.labels,
            "there": tf.ones_like(rows.labels, tf.bool) if there is None else there,
            "weights": rows.label_weights if weigh else None,
        }
        if rows.seen is not None and private.in_xla_context():
            column = rows.seen[:, tf.newaxis]
            parts["inputs"] = tf.where(column, rows.inputs, tf.zeros_like(rows.inputs))
            parts["there"] = tf.logical_and(parts["there"], column)
        elif rows.seen is not None:
            self._places = tf.where(rows.seen)[:, 0]
            for name, part in parts.items():
                parts[name] = None if part is None else tf.gather(part, self._places)
        self._inputs, self.there = parts["inputs"], parts["there"]
        self.labels = _in_range(parts["labels"], self._head.num_classes)
        self.label_weights = None
        if parts["weights"] is not None:
            weights = tf.cast(parts["weights"], tf.float32)
            self.label_weights = tf.where(self.there, weights, tf.zeros_like(weights))
        self._top: Optional[tf.Tensor] = None
        self._ranks: Optional[tf.Tensor] = None
        self._losses: Optional[tf.Tensor] = None

    def top_ids(self, k: int) -> tf.Tensor:
        """Returns the `[M, k]` ids of the classes with the highest logits, the highest first."""
        top = self._top
        if top is None or top.shape[1] < k:
            _, top = full.full_top_k(
                inputs=self._inputs,
                k=k,
                num_classes=self._head.num_classes,
                weights=self._head.kernel,
                biases=self._head.biases,
                **self._head.scaling(),
            )
            self._top = top
        return top[:, :k]

    def ranks(self) -> tf.Tensor:
        """Returns the `[M, T]` ranks of the true classes as float32; of no class, infinity."""
        if self._ranks is None:
            ranks = full.ranks(self._arguments(), num_classes=self._head.num_classes)
            ranks = tf.cast(ranks, tf.float32)
            self._ranks = tf.where(self.there, ranks, tf.constant(float("inf"), ranks.dtype))
        return self._ranks

    def losses(self) -> tf.Tensor:
        """Returns the `[M]` softmax losses over all classes, each a mean over its true classes."""
        if self._losses is None:
            classes = self._head.num_classes
            losses = full.full_loss("softmax", self._arguments(), num_classes=classes, trains=False)
            if self.label_weights is not None:
                losses = tf.math.divide_no_nan(losses, tf.cast(self._row_weights(), losses.dtype))
            self._losses = losses
        return self._losses

    def mean_of_true(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the `[M]` means of `[M, T]` values over the true classes, by their weights."""
        weights = self.label_weights
        if weights is None:
            weights = tf.cast(self.there, values.dtype)
        values = tf.where(self.there, values, tf.zeros_like(values))
        total = tf.reduce_sum(values * weights, axis=1)
        return tf.math.divide_no_nan(total, tf.reduce_sum(weights, axis=1))

    def weights(self, sample_weight: Any) -> Optional[tf.Tensor]:
        """Returns the `[M]` weights of the rows, or None if they all count alike.

        The weight of a row whose true classes have weights is the mean of those.

        Args:
          sample_weight: A number, `[batch]`, `[...]`, `[..., num_true]`, or None.
        """
        if self.label_weights is not None:
            return self._row_weights()
        there = self._seen if self._places is None else None
        if sample_weight is None:
            return None if there is None else tf.cast(there, tf.float32)
        weights = _weights_of_rows(sample_weight, self._hidden)
        if self._places is not None:
            weights = tf.gather(weights, self._places)
        return weights if there is None else tf.where(there, weights, tf.zeros_like(weights))

    def _row_weights(self) -> tf.Tensor:
        count = tf.math.count_nonzero(self.there, axis=1, dtype=tf.float32)
        return tf.math.divide_no_nan(tf.reduce_sum(self.label_weights, axis=1), count)

    def _arguments(self) -> Arguments:
        num_true = self.labels.shape[1] or 1  # Where it is not known, the mask says it.
        arguments = self._head.arguments(self.labels, self._inputs, num_true, None)
        more = {"true_mask": self.there, "part_weights": self.label_weights}
        return dataclasses.replace(arguments, **more)


def evaluated(
    tag: Tag,
    y_true: Any,
    num_true: Optional[int],
    *,
    none: Sequence[Optional[int]],
    mask: Any,
    weights: Any,
    weigh: bool,
) -> Evaluated:
    """Returns the rows of a batch. The metrics that see the same rows get the same object.

    Args:
      tag: The tag of y_pred.
      y_true: See `labels.labels_of`.
      num_true: The most true classes that a row of ragged labels may have, or None.
      none: The labels that are no class.
      mask: Keras's mask of y_pred, or None.
      weights: The weights by which rows and labels are left out; see `batch_rows.rows_of`.
      weigh: Whether those of the true classes also weigh them.
    """
    key = id(y_true), tuple(none), id(weights), weigh
    if key not in tag.shared:
        tag.shared[key] = Evaluated(
            tag, y_true, num_true, none=none, mask=mask, weights=weights, weigh=weigh
        )
    return tag.shared[key]


def weighs_labels(weights: Any, hidden: tf.Tensor, num_true: Optional[int]) -> bool:
    """Whether a `sample_weight` has a weight for each true class; see `batch_rows.rows_of`."""
    ragged = isinstance(weights, tf.RaggedTensor)
    if weights is None or num_true in (None, 1):
        if ragged:
            expected = (
                "a tensor, or ragged weights of true classes beside a loss with num_true= > 1"
            )
            errors.fail("sample_weight", expected, "a RaggedTensor")
        return False
    shape = (weights if ragged else tf.convert_to_tensor(weights)).shape
    return shape.rank == hidden.shape.rank and (ragged or shape[-1] == num_true)


def _weights_of_rows(weights: Any, hidden: tf.Tensor) -> tf.Tensor:
    """Returns `[N]` float32 weights, from a number, `[batch]`, `[...]` or `[..., 1]`."""
    weights = tf.cast(weights, tf.float32)
    leading, rows = hidden.shape[:-1], tf.shape(hidden)[:-1]
    if weights.shape.rank is None:
        flat = tf.reshape(weights, [-1])
        return tf.repeat(flat, tf.reduce_prod(rows) // tf.size(flat))
    if weights.shape.rank == leading.rank + 1 and weights.shape[-1] == 1:
        weights = tf.squeeze(weights, axis=-1)
    while weights.shape.rank < leading.rank:
        weights = weights[..., tf.newaxis]
    sizes = zip(weights.shape, leading)
    fit = all(None in (got, size) or got in (1, size) for got, size in sizes)
    if weights.shape.rank > leading.rank or not fit:
        expected = f"a number, or weights of shape {list(leading)} or {list(leading[:1])}"
        errors.fail("sample_weight", expected, f"shape {weights.shape}")
    return tf.reshape(tf.broadcast_to(weights, rows), [-1])


def _in_range(labels: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Checks the labels. Some metrics would take one that is no class for one that is not found."""
    wrong = tf.logical_or(labels < 0, labels >= num_classes)
    # A label out of range, for the message.
    highest, lowest = (
        reduce(tf.concat([[0], tf.reshape(labels, [-1])], axis=0))
        for reduce in (tf.reduce_max, tf.reduce_min)
    )
    good = errors.require(
        tf.logical_not(tf.reduce_any(wrong)),
        "labels",
        f"class ids in [0, {num_classes}), or padding_label= for a label that means 'no class'",
        tf.where(lowest < 0, lowest, highest),
    )
    return errors.after(good, labels)
