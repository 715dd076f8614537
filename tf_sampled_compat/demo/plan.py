"""How to train, as the options say: what the demo can know before it loads a Keras."""

from __future__ import annotations

from typing import NamedTuple


class Plan(NamedTuple):
    """How to train.

    Attributes:
      steps: Steps of each contender.
      batch: Places a step.
      learning_rate: Adagrad's, for all of them.
      width: Identifiers in a context.
      dim: Size of embeddings, hidden layer and table rows.
      num_sampled: Candidates of a step.
      seed: Of initial values, batches and samplers.
      points: About how often the held-out curve and the comparison with the twin are taken.
      curve_places: Held-out places of a point of the curve.
      final_places: Held-out places of the last evaluation, at most.
      full_softmax: Whether the full softmax trains as well.
    """

    steps: int
    batch: int
    learning_rate: float
    width: int
    dim: int
    num_sampled: int
    seed: int
    points: int
    curve_places: int
    final_places: int
    full_softmax: bool
