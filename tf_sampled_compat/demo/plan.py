"""How to train, by the options: needs no Keras, so that the options are checked before it loads."""

from __future__ import annotations

from typing import NamedTuple


class Plan(NamedTuple):
    """How to train.

    Attributes:
      steps: The number of steps of each contender.
      batch: The number of places in a batch.
      learning_rate: The learning rate of Adagrad, for every contender.
      width: The number of identifiers in a context.
      dim: The size of embeddings, hidden layer and rows of the table.
      num_sampled: The number of candidates in a step.
      seed: The seed of initial values, batches and samplers.
      points: The approximate number of points of the held-out curve; at each the contenders are
        also compared with their twins.
      curve_places: The number of held-out places for a point of the curve.
      final_places: The largest number of held-out places for the last evaluation.
      full_softmax: Whether to train with the full softmax as well.
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
