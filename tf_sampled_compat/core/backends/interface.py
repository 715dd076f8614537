"""What a backend is given and what it can do."""

from __future__ import annotations

from typing import NamedTuple, Optional

import tensorflow as tf


class Plan(NamedTuple):
    """The ids of a batch, each once, and the way back to them.

    Attributes:
      ids: `[U]` int64: the sampled ids, then the labels that were not sampled.
      sampled_positions: `[S]` int32 positions of the sampled ids in `ids`.
      true_positions: `[B, T]` int32 positions of the labels in `ids`.
      hits: `[H, 2]` int32 (row, column) pairs of accidental hits in the `[B, S]` logits, or None.
    """

    ids: tf.Tensor
    sampled_positions: tf.Tensor
    true_positions: tf.Tensor
    hits: Optional[tf.Tensor]


class Gathered(NamedTuple):
    """All a loss is computed from; no part of it grows with the number of classes.

    Everything floating but `inputs` and `rows` is of the compute dtype; U ≤ S + B·T counts the
    distinct classes.

    Attributes:
      inputs: `[B, D]`, in the caller's dtype, which the loss returns in.
      rows: `[U, D]` class embeddings, in the table's dtype.
      row_biases: `[U]`.
      sampled_positions: `[S]` int32, into rows.
      true_positions: `[B, T]` int32, into rows.
      hits: `[H, 2]` int32 (row, column) of accidental hits among `[B, S]`, or None; the fused
        implementation's are sorted.
      true_offset: -log of the true classes' expected counts, broadcasting to `[B, T]`.
      sampled_offset: -log of the candidates' expected counts, broadcasting to `[B, S]`.
      num_true: T.
      compute_dtype: What to multiply, exponentiate and sum in.
      true_mask: `[B, T]`: which true classes there are; None for all. Composite only.
      excluded: `[B, S]`: which candidates are none for the row, or None. Composite only.
    """

    inputs: tf.Tensor
    rows: tf.Tensor
    row_biases: tf.Tensor
    sampled_positions: tf.Tensor
    true_positions: tf.Tensor
    hits: Optional[tf.Tensor]
    true_offset: tf.Tensor
    sampled_offset: tf.Tensor
    num_true: int
    compute_dtype: tf.DType
    true_mask: Optional[tf.Tensor] = None
    excluded: Optional[tf.Tensor] = None
