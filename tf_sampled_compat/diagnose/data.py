"""A batch to probe with, and the labels, from what `fit` takes."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.diagnose import inputs
from tf_sampled_compat.diagnose.inputs import Inputs
from tf_sampled_compat.diagnose.stopwatch import Stopwatch

# Examples whose labels are counted, and batches that are read for them from a dataset.
_MOST_LABELS = 2**20
_MOST_BATCHES = 64
# The share of the time that reading may take.
_SHARE = 0.25


class Data(NamedTuple):
    """The data of a diagnosis.

    Attributes:
      x: The inputs of one batch, of the structure that the model takes.
      y: The labels of that batch.
      all_y: The labels of many examples.
      batch_size: The size of a batch in `fit`.
      steps: The number of steps of an epoch, if it is known.
      seen: What was seen of all inputs that were read.
    """

    x: Any
    y: Any
    all_y: Any
    batch_size: int
    steps: Optional[int]
    seen: Inputs


def take(x: Any, y: Any, batch_size: int, watch: Stopwatch) -> Data:
    """Takes a batch of evenly spaced examples from arrays, or the first one of a dataset.

    Args:
      x: An array, a structure of arrays, a `tf.data.Dataset`, or a sequence of batches.
      y: The labels, or None if x holds them.
      batch_size: The size of a batch, if x is no dataset.
      watch: Says how much time there is to read.

    Raises:
      ArgumentError: If there are no labels, or x can be read only once.
    """
    if isinstance(x, tf.data.Dataset):
        steps = int(x.cardinality())
        return _from_batches(x.take(_MOST_BATCHES), steps if steps > 0 else None, watch)
    if hasattr(x, "__getitem__") and hasattr(x, "__len__") and _gives_batches(x):
        batches = (x[n] for n in range(min(len(x), _MOST_BATCHES)))
        return _from_batches(batches, len(x), watch)
    if y is None:
        errors.fail(
            "x",
            "arrays, with the labels as y; or a tf.data.Dataset or a Keras sequence of (x, y). (A "
            "generator can be read only once, and fit needs what it gives)",
            type(x).__name__,
        )
    checks.known_size("batch_size", batch_size)
    size = inputs.len_of(tf.nest.flatten(x)[0])
    seen, end = Inputs(size), watch.share(_SHARE)
    for piece in inputs.pieces(x):
        seen.add(piece)
        if end():
            break
    rows = np.unique(np.linspace(0, size - 1, min(batch_size, size)).astype(np.int64))
    many = np.unique(np.linspace(0, size - 1, min(_MOST_LABELS, size)).astype(np.int64))
    return Data(
        _rows(x, rows),
        _rows(y, rows),
        y if len(many) == size else _rows(y, many),
        batch_size,
        -(-size // batch_size),
        seen,
    )


def _gives_batches(x: Any) -> bool:
    """Whether x is a Keras sequence (`PyDataset`, `Sequence`), whose items are batches."""
    return any(
        base.__name__ in ("PyDataset", "Sequence") and "keras" in base.__module__
        for base in type(x).__mro__
    )


def _from_batches(batches: Any, steps: Optional[int], watch: Stopwatch) -> Data:
    taken: list[Any] = []
    seen, end = Inputs(), watch.share(_SHARE)
    for batch in itertools.islice(batches, _MOST_BATCHES):
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            errors.fail("x", "batches of (x, y) or (x, y, sample_weight)", type(batch).__name__)
        seen.add(batch[0])
        taken.append(batch if not taken else (None, batch[1]))  # Inputs of the first one only.
        if end():
            break
    if not taken:
        errors.fail("x", "at least one batch", "none")
    labels = [batch[1] for batch in taken]
    if len(labels) == 1 or any(isinstance(y, tf.RaggedTensor) for y in tf.nest.flatten(labels)):
        all_y = labels[0]
    else:
        flat = [np.concatenate([np.asarray(y) for y in column]) for column in _columns(labels)]
        all_y = tf.nest.pack_sequence_as(labels[0], flat)
    size = inputs.len_of(tf.nest.flatten(taken[0][0])[0])
    return Data(taken[0][0], taken[0][1], all_y, size, steps, seen)


def _columns(labels: list[Any]) -> Any:
    columns = zip(*(tf.nest.flatten(y) for y in labels))
    # Labels whose width differs between batches cannot be put together.
    return [[y for y in column if y.shape[1:] == column[0].shape[1:]] for column in columns]


def first_rows(values: Any, rows: int) -> Any:
    """Returns the first rows of an array, or of a structure of arrays."""
    return None if values is None else _rows(values, np.arange(rows))


def _rows(values: Any, rows: np.ndarray) -> Any:
    def of(array: Any) -> Any:
        if isinstance(array, (tf.RaggedTensor, tf.Tensor)):
            return tf.gather(array, rows)
        if isinstance(array, tf.SparseTensor):
            return tf.sparse.from_dense(tf.gather(tf.sparse.to_dense(array), rows))
        if hasattr(array, "iloc"):
            return array.iloc[rows].to_numpy()
        return np.asarray(array)[rows]

    if isinstance(values, list) and values and np.ndim(values[0]) == 0:
        return of(np.asarray(values))
    return tf.nest.map_structure(of, values)
