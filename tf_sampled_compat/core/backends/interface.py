"""What a backend is given, and what it can do.

A backend never sees a table. It gets the rows of a batch, or one block of rows after another.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Optional, Protocol

import tensorflow as tf

# The loss of a gathered batch. With one true class per row, "sparse_softmax" equals "softmax", but
# TensorFlow has two ops.
LossKind = Literal["softmax", "sparse_softmax", "sigmoid"]
# The sum over all classes: of exp (followed by a logarithm) or of softplus.
SumKind = Literal["softmax", "sigmoid"]
# Where class ids come from: the caller's labels or candidates, or a draw.
IdSource = Literal["labels", "sampled_candidates", "drawn_candidates"]


class Plan(NamedTuple):
    """The ids to look up for a batch, and the positions of labels and candidates in them.

    Attributes:
      ids: `[U]` int64: each id once, or every occurrence, the labels first, then the candidates.
      sampled_positions: `[S]` int32 positions of the sampled ids in `ids`; `[B, S]` where each row
        has candidates of its own.
      true_positions: `[B, T]` int32 positions of the labels in `ids`.
      hits: `[H, 2]` int32 (row, column) pairs of accidental hits in the `[B, S]` logits, or None.
        Under XLA there is a pair for every label: column S stands for "not sampled".
    """

    ids: tf.Tensor
    sampled_positions: tf.Tensor
    true_positions: tf.Tensor
    hits: Optional[tf.Tensor]


class Gathered(NamedTuple):
    """All inputs of a loss. No part grows with the number of classes.

    All floating tensors but `inputs` and `rows` have the compute dtype. U ≤ S + B·T is the number
    of rows that were looked up.

    Attributes:
      inputs: `[B, D]`, in the caller's dtype, which is also the loss's.
      rows: `[U, D]` class embeddings, in the table's dtype.
      row_biases: `[U]`.
      sampled_positions: `[S]` int32, into rows; `[B, S]` where each row has candidates of its own.
      true_positions: `[B, T]` int32, into rows.
      hits: `[H, 2]` int32 (row, column) pairs of accidental hits in `[B, S]`, or None. They are
        sorted for the fused backend.
      true_offset: -log of the true classes' expected counts; broadcasts to `[B, T]`.
      sampled_offset: -log of the candidates' expected counts; broadcasts to `[B, S]`.
      num_true: T.
      compute_dtype: The dtype to multiply, exponentiate and sum in.
      excluded: `[B, S]`: whether to leave out a candidate of the row, or None. Composite only.
      row_offset: `[B]`: what `losses.composed` adds to the logits of a row's candidates, or None.
      own_logits: What `Backend.row_logits` returns for the true classes, `[B, T]`, and for the
        candidates, `[B, S]`, where each row has candidates of its own; otherwise None.
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
    excluded: Optional[tf.Tensor] = None
    row_offset: Optional[tf.Tensor] = None
    own_logits: Optional[tuple[tf.Tensor, tf.Tensor]] = None


class Terms(NamedTuple):
    """The terms of a loss, in the compute dtype; each has a gradient.

    With N the negatives and t the true logits, the loss is
    logaddexp(N, log Σ exp(t)) - mean(t) for "softmax", and N + Σ (softplus(t) - t / T) for
    "sigmoid".

    Attributes:
      negatives: `[B]`: N. For "softmax", the log-sum-exp of a row's negatives, -∞ if there are
        none. For "sigmoid", the sum of their softplus.
      true_logits: `[B, T]`: t, the corrected logits of the true classes.
    """

    negatives: tf.Tensor
    true_logits: tf.Tensor


class Backend(Protocol):
    """A way to compute: `composite` by public TensorFlow ops, `fused` by the C++ op."""

    name: str

    # Before the rows are gathered.

    def check_ids(
        self,
        source: IdSource,
        ids: tf.Tensor,
        weights_rows: Optional[int],
        biases_rows: Optional[int],
        num_classes: Optional[int] = None,
    ) -> tf.Tensor:
        """Returns `ids`, checked to be rows of the tables.

        Args:
          source: Where the ids come from, for the message.
          ids: `[...]` int64 class ids.
          weights_rows: The number of rows of the weights, or None if unknown.
          biases_rows: The same for the biases.
          num_classes: The number of classes that candidates were drawn from.
        """
        ...

    def log_offset(self, argument: str, count: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        """Returns -log of an expected count, which is checked to be positive and finite."""
        ...

    def plan(
        self, labels: tf.Tensor, sampled: tf.Tensor, *, num_true: int, find_hits: bool, unique: bool
    ) -> Plan:
        """Lists the classes of a batch, and finds the accidental hits.

        Args:
          labels: `[B, T]` int64.
          sampled: `[S]` int64, which may repeat. As in `tf.nn.compute_accidental_hits`, only the
            last copy of an id is a hit.
          num_true: T.
          find_hits: Whether to find the hits.
          unique: Whether to list each class once, or every occurrence. The gradient of a table has
            an entry for each item of the list.
        """
        ...

    def hits(self, labels: tf.Tensor, sampled: tf.Tensor, num_true: int) -> tf.Tensor:
        """Returns the hits of a `Plan` alone."""
        ...

    def every_copy(
        self, labels: tf.Tensor, sampled: tf.Tensor
    ) -> tuple[Optional[tf.Tensor], Optional[tf.Tensor]]:
        """Finds all candidates that are a label of the row, every copy of one.

        Returns:
          `hits` and `excluded` of a `Gathered`, one of which is None.
        """
        ...

    def tapas_scores(self, rows: tf.Tensor, inputs: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
        """Returns log Σ_b exp(w · x_b / temperature) for each row w, in the temperature's dtype."""
        ...

    def row_logits(
        self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor, positions: tf.Tensor
    ) -> tf.Tensor:
        """Returns logits of classes that differ from row to row, in the biases' dtype.

        Args:
          inputs: `[B, D]`.
          rows: `[U, D]`.
          biases: `[U]`.
          positions: `[B, N]` int32, into rows.

        Returns:
          `[B, N]`: inputs[b] · rows[positions[b, n]] + biases[positions[b, n]].
        """
        ...

    # Of a gathered batch.

    def loss(self, gathered: Gathered, kind: LossKind, name: Optional[str] = None) -> tf.Tensor:
        """Returns the `[B]` losses, in the dtype of the inputs.

        softmax: -(1/T) Σ_t l(t) + log(Σ_t exp l(t) + Σ_s exp l(s))
        sigmoid: Σ_t H(1/T, σ(l(t))) + Σ_s H(0, σ(l(s))), H the binary cross entropy

        Args:
          gathered: The batch.
          kind: Which of the two.
          name: The name of the operation that returns the losses.
        """
        ...

    def terms(self, gathered: Gathered, kind: SumKind) -> Terms:
        """Returns the terms of a loss; see `Terms`."""
        ...

    def sum_of_negatives(self, gathered: Gathered) -> tf.Tensor:
        """Returns the `[B]` sums of the logits of a row's negatives, in the compute dtype.

        `row_offset` is part of each.
        """
        ...

    # Of one block of classes after another.

    def logits(self, inputs: tf.Tensor, rows: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
        """Returns w_c · x + b_c for all inputs and rows: `[B, rows]`, in the biases' dtype."""
        ...

    def reduce(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        labels: tf.Tensor,
        kind: SumKind,
    ) -> Terms:
        """Returns the terms over the rows, in the biases' dtype.

        The negatives are all rows but those of the labels:

        softmax: log Σ_c exp(w_c · x + b_c)
        sigmoid: Σ_c log(1 + exp(w_c · x + b_c))

        Args:
          inputs: `[B, D]`.
          rows: `[n, D]`.
          biases: `[n]`.
          labels: `[B, T]` int64 positions in rows. Elsewhere, as at -1, there is no true class, and
            its logit is 0.
          kind: Which of the two.
        """
        ...

    def stream(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        labels: tf.Tensor,
        kind: SumKind,
    ) -> Terms:
        """Does the same for many rows, so that neither it nor a gradient has a `[B, n]` matrix."""
        ...

    def top_k(
        self,
        inputs: tf.Tensor,
        rows: tf.Tensor,
        biases: tf.Tensor,
        k: tf.Tensor,
        bar: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the k highest logits of each input, and their int64 positions in rows.

        Logits that do not exceed an input's bar may be replaced by others that do not. A bar of
        NaN means no bar.
        """
        ...
