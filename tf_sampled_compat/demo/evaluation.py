"""Exact figures: the full softmax over all classes, and the neighbours in the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.demo.corpus import Corpus, Windows
from tf_sampled_compat.demo.model import NextIdentifier

_ROWS_AT_ONCE = 256


class HeldOut(NamedTuple):
    """What the full softmax says about held-out text.

    Attributes:
      loss: The mean cross entropy, in nats.
      mean_rank: The mean rank of the right class among all, from 1, the best. Of classes with the
        same logit the more frequent is ahead.
      recall_at_10: How often it is among the ten best.
    """

    loss: float
    mean_rank: float
    recall_at_10: float


class FullSoftmax:
    """Evaluates a model by the softmax over all its classes, whatever it is trained with.

    The loss that a model is compiled with would be another yardstick for each: NCE's evaluation is
    a sum over the classes' sigmoid losses. So this is a Keras model of its own of the same layers.

    Args:
      model: The model, whose variables are read at each call.
    """

    def __init__(self, model: NextIdentifier):
        classifier = model.classifier
        self._model = tf.keras.Model(classifier.input, classifier.output)
        # In evaluation the loss is exact, streamed over the classes, and samples nothing.
        self._model.compile(
            loss=tsc.keras.losses.SampledSoftmax(num_sampled=1),
            metrics=[tsc.keras.metrics.MeanRank(), tsc.keras.metrics.ExactRecallAtK(10)],
        )

    def __call__(self, windows: Windows) -> HeldOut:
        """Returns the figures for these places."""
        found = self._model.evaluate(
            windows.contexts,
            windows.labels,
            batch_size=_ROWS_AT_ONCE,
            verbose=0,
            return_dict=True,
        )
        return HeldOut(found["loss"], found["mean_rank"], found["exact_recall_at_10"])


def neighbours(
    model: NextIdentifier, corpus: Corpus, names: Iterable[str], *, num: int, num_frequent: int
) -> dict[str, list[tuple[str, float]]]:
    """Finds the identifiers with the most similar rows in the model's table.

    Args:
      model: The model.
      corpus: Where its classes come from.
      names: Identifiers of the vocabulary.
      num: How many neighbours of each to return.
      num_frequent: Look among this many most frequent identifiers; rows of rarer ones have hardly
        left their initial values.

    Returns:
      For each name, the neighbours and their cosine similarities, the nearest first.
    """
    table = tf.convert_to_tensor(model.head.kernel)
    rows = tf.math.l2_normalize(table, axis=1).numpy()
    ids = {name: k for k, name in enumerate(corpus.vocabulary)}
    found = {}
    for name in names:
        similarities = rows[:num_frequent] @ rows[ids[name]]
        order = [k for k in np.argsort(-similarities) if k != ids[name]][:num]
        found[name] = [(corpus.vocabulary[k], float(similarities[k])) for k in order]
    return found
