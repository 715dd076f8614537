"""Exact figures: the full softmax over all classes, and the nearest rows of the table."""

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
    """The figures of the full softmax on held-out text.

    Attributes:
      loss: The mean cross entropy, in nats.
      mean_rank: The mean rank of the right class among all classes; 1 is the best. Of classes with
        equal logits, the more frequent one ranks first.
      recall_at_10: How often the right class is among the ten best.
    """

    loss: float
    mean_rank: float
    recall_at_10: float


class FullSoftmax:
    """Evaluates a model by the softmax over all its classes, whatever loss it is trained with.

    The losses that the models are compiled with cannot be compared: NCE, for example, evaluates
    a sum over the sigmoid losses of all classes. So this makes another Keras model of the same
    layers.

    Args:
      model: The model. Each call reads its current variables.
    """

    def __init__(self, model: NextIdentifier):
        classifier = model.classifier
        self._model = tf.keras.Model(classifier.input, classifier.output)
        # In evaluation the loss is exact: it streams over all classes and samples nothing.
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
      corpus: The text, whose identifiers are the classes.
      names: Identifiers of the vocabulary.
      num: The number of neighbours of each name.
      num_frequent: Only this many of the most frequent identifiers count as neighbours: the rows
        of rarer ones are still close to their initial values.

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
