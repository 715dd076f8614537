"""The training step of a softmax whose rows have candidates of their own, and the usual gather."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing, steps
from tf_sampled_compat.bench.steps import COMPOSITE, FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Contender, Effort, geometric_mean, medians

TITLE = "candidates [B, S], each row its own, against a gather of [B, S, D]"
COLUMNS = (
    ("(B, D, S, T)", "shape", ""),
    ("candidates", "candidates", ""),
    ("stock ms", "stock_ms", ".2f"),
    ("composite ms", "composite_ms", ".2f"),
    ("ours ms", "ours_ms", ".2f"),
    ("ratio", "ratio", ".2f"),
    ("off stock", "difference", ".0e"),
)


class Cell(NamedTuple):
    """A shape, and whether classes repeat among the candidates as frequent ones do, or rarely."""

    shape: Shape
    candidates: str

    def __str__(self) -> str:
        return f"{self.shape} {self.candidates}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    sizes = [(16, 8, 32)] if quick else [(256, 64, 16), (1024, 64, 128), (1024, 128, 512)]
    classes = 500 if quick else 200_000
    shapes = [Shape(*size, classes=classes) for size in sizes]
    return [Cell(shape, candidates) for shape in shapes for candidates in ("skewed", "uniform")]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    on, arguments = steps.tables(cell.shape.classes, cell.shape.dim), _arguments(cell)
    contenders = [
        Contender(how, _step(how, cell.shape, on), lambda: arguments)
        for how in (STOCK, COMPOSITE, FUSED)
    ]
    ms = medians(contenders, effort)
    return [
        {
            **cell.shape._asdict(),
            "shape": str(cell.shape),
            "candidates": cell.candidates,
            "stock_ms": ms[STOCK],
            "composite_ms": ms[COMPOSITE],
            "ours_ms": ms[FUSED],
            "ratio": ms[STOCK] / ms[FUSED],
            "difference": steps.loss_difference(contenders[0], contenders[2]),
        }
    ]


def _arguments(cell: Cell) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns labels, inputs and candidates."""
    shape, rng = cell.shape, np.random.default_rng(1)
    labels, inputs = steps.skewed_values(shape)[:2]
    size = shape.batch, shape.sampled
    if cell.candidates == "uniform":
        return labels, inputs, tf.constant(rng.integers(0, shape.classes, size))
    skewed = np.exp(rng.uniform(size=size) * np.log(shape.classes)).astype(np.int64) - 1
    return labels, inputs, tf.constant(skewed)


def _step(how: str, shape: Shape, on: steps.Tables) -> Callable[..., Any]:
    """Returns a step: a function of labels, inputs and candidates."""

    def losses(labels: tf.Tensor, inputs: tf.Tensor, sampled: tf.Tensor) -> tf.Tensor:
        if how == STOCK:
            ids = tf.concat([labels, sampled], axis=1)
            rows, biases = (tf.nn.embedding_lookup(table, ids) for table in on)
            logits = tf.linalg.matvec(rows, inputs) + biases
            first = tf.zeros([shape.batch], tf.int64)
            return tf.nn.sparse_softmax_cross_entropy_with_logits(first, logits)
        return tsc.nn.sampled_softmax_loss(
            *on,
            labels,
            inputs,
            shape.sampled,
            shape.classes,
            sampled_values=(sampled, 1.0, 1.0),
            remove_accidental_hits=False,
            implementation=how,
        )

    @tf.function
    def run(labels: tf.Tensor, inputs: tf.Tensor, sampled: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            mean = tf.reduce_mean(losses(labels, inputs, sampled))
        return mean, tape.gradient(mean, [*on, inputs])

    return run


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    ratios = [row["ratio"] for row in rows]
    return {"geometric mean of the ratios": geometric_mean(ratios), "the least": min(ratios)}


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    ratios = {f"{row['shape']} {row['candidates']}": row["ratio"] for row in rows}
    drawing.bars(axes, list(ratios), ratios, FUSED, 0)
    axes.axvline(1, color="black", linewidth=0.8)
    drawing.label(axes, "Candidates of a row's own", "times as fast as a gather", "")
