"""A step of Keras's `fit` over ever larger tables: the loss, its gradients and the update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing, growth, steps
from tf_sampled_compat.bench.growth import Cell
from tf_sampled_compat.bench.steps import FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Contender, Effort, medians

TITLE = "a step of Keras's fit: stock loss and Adam, ours and LazyAdam"
COLUMNS = growth.COLUMNS
cells = growth.cells

# Adam walks the whole table and its two slots: above this size a step takes seconds.
_MOST_OF_STOCK = 10**6


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    # Contenders of all sizes take turns, because the sizes are compared with each other. Stock's
    # run apart: a step that writes hundreds of megabytes slows down the contender after it.
    sizes_of_stock = [classes for classes in cell.classes if classes <= _MOST_OF_STOCK]
    ms = medians([_contender(cell, FUSED, classes) for classes in cell.classes], effort)
    ms.update(medians([_contender(cell, STOCK, classes) for classes in sizes_of_stock], effort))
    return growth.rows(cell, ms)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    ratios = {
        f"the largest ratio, {ids} ids": max(row["ratio"] or 0 for row in of)
        for ids, of in growth.by_ids(rows).items()
    }
    return {**growth.summary(rows), **ratios}


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    growth.draw(axes, rows, "A step of Keras's fit")
    drawing.log_log(axes)


def _contender(cell: Cell, how: str, classes: int) -> Contender:
    shape = cell.shape._replace(classes=classes)
    if cell.ids == "same":
        values = steps.skewed_values(cell.shape._replace(classes=cell.classes[0]))
        batch = values.inputs, values.labels
        sampler, batches = _always(values), tf.data.Dataset.from_tensors(batch).repeat()
    else:
        sampler, batches = tsc.random.uniform_candidate_sampler, _fresh(shape)
    model = _model(how, shape, sampler)
    # `fit` calls this function with this iterator, once a step.
    model.make_train_function()
    iterator = iter(batches)
    return Contender(growth.name(how, classes), lambda: model.train_function(iterator))


def _model(how: str, shape: Shape, sampler: Any) -> Any:
    """Returns a compiled model of a hidden layer and a head of C classes."""
    keras = tf.keras
    inputs = keras.Input([shape.dim])
    hidden = keras.layers.Dense(shape.dim)(inputs)
    # Drawing initial values for ten million rows would take minutes.
    head = tsc.keras.layers.SampledDense(shape.classes, kernel_initializer="zeros")
    model = keras.Model(inputs, head(hidden))
    if how == FUSED:
        loss = tsc.keras.losses.SampledSoftmax(shape.sampled, sampler=sampler)
        model.compile(tsc.keras.optimizers.LazyAdam(1e-3), loss, jit_compile=False)
        return model

    class ByHand(keras.Model):
        """TensorFlow's loss in Keras, without a loss for `compile`, over the same variables."""

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
    """Returns a sampler that always returns these candidates, for these labels only."""
    return lambda *_, **__: values[2:]


def _fresh(shape: Shape) -> tf.data.Dataset:
    """Returns batches of labels drawn uniformly from all classes."""
    inputs = tf.random.stateless_normal([shape.batch, shape.dim], seed=[0, 0])
    seeds = tf.data.Dataset.random(seed=1)

    def batch(seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        labels = tf.random.stateless_uniform(
            [shape.batch, 1], [seed, 0], maxval=shape.classes, dtype=tf.int64
        )
        return inputs, labels

    return seeds.map(batch).prefetch(4)
