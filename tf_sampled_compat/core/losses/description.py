"""Describes a sampled loss: the caller's arguments, typed, in the order of their use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Literal, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.arguments.typing import (
    SampledValuesLike,
    Sampler,
    ScalarLike,
    TableLike,
    TensorLike,
)
from tf_sampled_compat.core.backends.interface import LossKind
from tf_sampled_compat.core.losses.result_names import Era
from tf_sampled_compat.core.losses.slices import Slices
from tf_sampled_compat.core.samplers import default

# Maps the cosines of true classes.
Margin = Callable[[tf.Tensor], tf.Tensor]
# The meaning of "mod" for a PartitionedVariable; see `tables.table.as_table`.
ContiguousMod = Literal["refuse", "permute", "concatenate"]


@dataclass(frozen=True)
class Arguments:
    """The tensors of a loss and how to read them: the argument of `prepare`.

    Attributes:
      weights: See `tables.table.as_table`.
      biases: See `tables.table.as_table`.
      labels: `[B, T]` class ids of any dtype, or ragged ones.
      inputs: `[B, D]` activations.
      num_true: T.
      partition_strategy: "div" or "mod".
      biases_partition_strategy: The biases' own strategy, if it differs (TF 0.12).
      contiguous_mod: The meaning of "mod" for a PartitionedVariable.
      biases_contiguous_mod: The same for the biases, if it differs (TF 0.12).
      padding_label: The label that means "no class".
      one_row_broadcasts: Whether one row of labels may serve all inputs, as in TensorFlow.
      true_mask: `[B, T]` booleans: False where a label is no class, beside `padding_label`. TAPAS
        leaves out the rows where all are False.
      label_weights: `[B, T]`: the targets; see `losses.composed`.
      most_label_weight: The maximum of `label_weights`.
      part_weights: `[B, T]`: what the part of each true class in the loss is multiplied by.
      temperature: What the logits are divided by; None for 1.
      normalize: Whether a logit is a cosine.
    """

    weights: TableLike
    biases: TableLike
    labels: TensorLike
    inputs: TensorLike
    num_true: int = 1
    partition_strategy: str = "div"
    biases_partition_strategy: Optional[str] = None
    contiguous_mod: ContiguousMod = "refuse"
    biases_contiguous_mod: Optional[ContiguousMod] = None
    padding_label: Optional[int] = None
    one_row_broadcasts: bool = True
    true_mask: Optional[TensorLike] = None
    label_weights: Optional[TensorLike] = None
    most_label_weight: float = math.inf
    part_weights: Optional[TensorLike] = None
    temperature: Optional[ScalarLike] = None
    normalize: bool = False


@dataclass(frozen=True)
class Composition:
    """How a loss is composed of its terms; the defaults are TensorFlow's. See `losses.composed`.

    Attributes:
      margin: A differentiable function of the cosines of the true classes, or None.
      label_smoothing: How much of the target all classes share.
      z_loss: The factor of the squared logarithm of the partition function.
      power: β of a binary cross entropy, whose targets are 1; None for other losses.
    """

    margin: Optional[Margin] = None
    label_smoothing: float = 0.0
    z_loss: float = 0.0
    power: Optional[float] = None

    @classmethod
    def checked(
        cls,
        *,
        margin: Optional[Margin] = None,
        normalize: bool = False,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
        power: Optional[float] = None,
    ) -> Composition:
        """Checks the caller's arguments."""
        checks.margin(margin, normalize)
        return cls(
            margin=margin,
            label_smoothing=checks.not_negative("label_smoothing", label_smoothing, below=1),
            z_loss=checks.not_negative("z_loss", z_loss),
            power=power,
        )


PLAIN = Composition()


@dataclass(frozen=True)
class Resampling:
    """TAPAS's second stage, which keeps the candidates that the batch finds most probable.

    Attributes:
      num_resampled: R < S: the number to keep.
      temperature: A positive scalar: number, tensor or variable.
    """

    num_resampled: int
    temperature: ScalarLike


@dataclass(frozen=True)
class Sampling:
    """Where the candidates come from; `draw` uses it.

    Attributes:
      num_sampled: S.
      num_classes: C.
      sampled_values: The caller's candidates and counts, or None to draw.
      sampler: The caller's sampler, or None for the loss's default.
      seed: The operation's seed.
      stop_count_gradients: Whether to stop gradients at the expected counts. (TF 0.12 does not.)
      resampling: TAPAS's second stage, or None.
      has_counts: Whether the expected counts are known. Otherwise they are 1, and `exclude_true`
        adjusts none.
    """

    num_sampled: int
    num_classes: int
    sampled_values: Optional[SampledValuesLike] = None
    sampler: Optional[Sampler] = None
    seed: Optional[int] = None
    stop_count_gradients: bool = True
    resampling: Optional[Resampling] = None
    has_counts: bool = True

    def given(self) -> Optional[SampledValuesLike]:
        """Returns the caller's candidates, or None. In TF 1.15's TAPAS, () means None too."""
        values = self.sampled_values
        is_empty = isinstance(values, (list, tuple)) and not values
        return None if self.resampling is not None and is_empty else values


@dataclass(frozen=True)
class SampledLoss:
    """A sampled loss.

    Attributes:
      function: The public function's name.
      kind: The loss of the logits; see `backends.interface.Backend.loss`.
      arguments: The tensors.
      sampling: Where the candidates come from.
      remove_accidental_hits: Whether to leave a candidate out of a row of which it is a true class.
      exclude_true: The same for all copies of a candidate, and adjusts the counts of the others.
      subtract_log_q: Whether a logit is less the logarithm of its class's expected count.
      composition: What is made of the terms.
      slices: The entries of a table's gradient, unless `gradient_slices` overrides it.
      implementation: "fused", "composite" or None.
      name: The caller's name for the operation.
      names: The TensorFlow whose name the result gets in a graph.
    """

    function: str
    kind: LossKind
    arguments: Arguments
    sampling: Sampling
    remove_accidental_hits: bool
    exclude_true: bool = False
    subtract_log_q: bool = True
    composition: Composition = PLAIN
    slices: Slices = "occurrence"
    implementation: Optional[str] = None
    name: Optional[str] = None
    names: Era = "1.x"

    @property
    def is_tapas(self) -> bool:
        """Whether a second choice follows the draw."""
        return self.sampling.resampling is not None

    @property
    def is_plain(self) -> bool:
        """Whether the loss is TensorFlow's, so that a backend computes it in one op."""
        a = self.arguments
        return not (
            self.exclude_true
            or self.composition != PLAIN
            or a.padding_label is not None
            or any(given is not None for given in (a.true_mask, a.label_weights, a.part_weights))
        )

    @property
    def default_scope(self) -> str:
        """The name scope TensorFlow opens where `name` is None."""
        return self.function if self.is_tapas else "compute_sampled_logits"

    @property
    def default_sampler(self) -> str:
        """What draws if the caller passes neither candidates nor a sampler."""
        if self.composition.power is not None:
            return default.FOR_BINARY_CROSSENTROPY
        return default.FOR_TAPAS if self.is_tapas else default.FOR_SAMPLED_LOSSES

    @property
    def flat_labels_pass(self) -> bool:
        """Whether labels of shape `[B * T]` pass, as where TensorFlow only reshapes them."""
        given = self.sampling.sampled_values is not None
        return given and not self.is_tapas and not self.remove_accidental_hits

    @property
    def wants_exactly_num_sampled(self) -> bool:
        """Whether S candidates must come, as where TensorFlow builds a `[B, S]` mask."""
        return self.remove_accidental_hits and not self.is_tapas
