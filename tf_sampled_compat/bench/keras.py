"""A step of Keras's `fit`: model, loss, gradients and the update of both tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing, steps
from tf_sampled_compat.bench.steps import FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Contender, Effort, medians

TITLE = "a step of Keras's fit: stock loss and Adam, ours and LazyAdam"
COLUMNS = (
    ("ids", "ids", ""),
    ("C", "classes", ",d"),
    ("stock ms", "stock_ms", ".2f"),
    ("ours ms", "ours_ms", ".2f"),
    ("ratio", "ratio", ".1f"),
    ("stock/least C", "stock_growth", ".2f"),
    ("ours/least C", "ours_growth", ".2f"),
)
# Adam walks the whole table and its two slots: beyond this a step takes seconds.
_MOST_OF_STOCK = 10**6


class Cell(NamedTuple):
    """A training step over tables of several sizes."""

    ids: str
    shape: Shape
    classes: Sequence[int]

    def __str__(self) -> str:
        return f"{self.ids} ids, {self.shape}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    shape = Shape(16, 8, 32) if quick else Shape(256, 64, 1024)
    classes = [200, 2000] if quick else [10**4, 10**5, 10**6, 10**7]
    return [Cell(ids, shape, classes) for ids in ("same", "fresh")]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    # All of ours take turns with each other, since it is they that are compared. Stock's do so
    # apart: a step that writes hundreds of megabytes slows down whoever comes after it.
    ms = medians([_contender(cell, FUSED, classes) for classes in cell.classes], effort)
    least_of_stock = [classes for classes in cell.classes if classes <= _MOST_OF_STOCK]
    ms.update(medians([_contender(cell, STOCK, classes) for classes in least_of_stock], effort))
    least = cell.classes[0]
    rows = []
    for classes in cell.classes:
        stock_ms, ours_ms = ms.get(f"{STOCK} {classes}"), ms[f"{FUSED} {classes}"]
        rows.append(
            {
                **cell.shape._replace(classes=classes)._asdict(),
                "ids": cell.ids,
                "stock_ms": stock_ms,
                "ours_ms": ours_ms,
                "ratio": stock_ms and stock_ms / ours_ms,
                "stock_growth": stock_ms and stock_ms / ms[f"{STOCK} {least}"],
                "ours_growth": ours_ms / ms[f"{FUSED} {least}"],
            }
        )
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    figures = {}
    for ids in dict.fromkeys(row["ids"] for row in rows):
        of = [row for row in rows if row["ids"] == ids]
        figures[f"the most growth of ours, {ids} ids"] = max(row["ours_growth"] for row in of)
        figures[f"the largest ratio, {ids} ids"] = max(row["ratio"] or 0 for row in of)
    return figures


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    for key, name in (("stock_ms", STOCK), ("ours_ms", FUSED)):
        for ids, dashes in (("same", "-"), ("fresh", "--")):
            points = [
                (row["classes"], row[key])
                for row in rows
                if row["ids"] == ids and row[key] is not None
            ]
            drawing.curve(axes, points, name, f"{name}, {ids} ids", linestyle=dashes)
    drawing.label(axes, "A step of Keras's fit", "classes", "ms a step")
    drawing.log_log(axes)
    axes.legend()


def _contender(cell: Cell, how: str, classes: int) -> Contender:
    shape = cell.shape._replace(classes=classes)
    if cell.ids == "same":
        values = steps.skewed_values(cell.shape._replace(classes=cell.classes[0]))
        batch = values.inputs, values.labels
        sampler, batches = _always(values), tf.data.Dataset.from_tensors(batch).repeat()
    else:
        sampler, batches = tsc.random.uniform_candidate_sampler, _fresh(shape)
    model = _model(how, shape, sampler)
    # What `fit` calls for each of its steps, on what it calls it with.
    model.make_train_function()
    iterator = iter(batches)
    return Contender(f"{how} {classes}", lambda: model.train_function(iterator))


def _model(how: str, shape: Shape, sampler: Any) -> Any:
    """Returns a compiled model of a hidden layer and a head of C classes."""
    keras = tf.keras
    inputs = keras.Input([shape.dim])
    hidden = keras.layers.Dense(shape.dim)(inputs)
    # Whoever draws initial values for ten million rows waits for minutes.
    head = tsc.keras.layers.SampledDense(shape.classes, kernel_initializer="zeros")
    model = keras.Model(inputs, head(hidden))
    if how == FUSED:
        loss = tsc.keras.losses.SampledSoftmax(shape.sampled, sampler=sampler)
        model.compile(tsc.keras.optimizers.LazyAdam(1e-3), loss, jit_compile=False)
        return model

    class ByHand(keras.Model):
        """How it is done without a loss for `compile`: over the same variables."""

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_: Any) -> Any:
            sizes = {"num_true": 1, "num_sampled": shape.sampled}
            values = sampler(y, unique=True, range_max=shape.classes, **sizes)
            losses = tf.nn.sampled_softmax_loss(
                head.kernel, head.bias, y, encoder(x), num_classes=shape.classes,
                sampled_values=values, **sizes,
            )  # fmt: skip
            return tf.reduce_mean(losses)

    encoder = keras.Model(inputs, hidden)
    model = ByHand(inputs, model.outputs)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    return model


def _always(values: steps.Values) -> Any:
    """A sampler that returns the same candidates, if it is one of the same labels."""
    return lambda *_, **__: values[2:]


def _fresh(shape: Shape) -> tf.data.Dataset:
    """Batches of labels from anywhere among the classes."""
    inputs = tf.random.stateless_normal([shape.batch, shape.dim], seed=[0, 0])
    seeds = tf.data.Dataset.random(seed=1)

    def batch(seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        labels = tf.random.stateless_uniform(
            [shape.batch, 1], [seed, 0], maxval=shape.classes, dtype=tf.int64
        )
        return inputs, labels

    return seeds.map(batch).prefetch(4)
