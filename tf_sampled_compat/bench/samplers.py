"""Unique log-uniform draws: TensorFlow's kernel, TensorFlow's stateless ops, XLA and our op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing
from tf_sampled_compat.bench.steps import COMPOSITE, FUSED, STOCK
from tf_sampled_compat.bench.timing import Contender, Effort, geometric_mean, medians

TITLE = "unique log-uniform draws and their expected counts, in a graph"
COLUMNS = (
    ("S", "sampled", ",d"),
    ("C", "classes", ",d"),
    ("TensorFlow's ms", "stock_ms", ".2f"),
    ("in its ops ms", "composite_ms", ".2f"),
    ("by XLA ms", "xla_ms", ".2f"),
    ("ours ms", "ours_ms", ".2f"),
    ("ratio", "ratio", ".2f"),
)

_XLA = "xla"
_BATCH = 256


class Cell(NamedTuple):
    """How many classes to draw (S), and of how many (C)."""

    sampled: int
    classes: int

    def __str__(self) -> str:
        return f"S = {self.sampled:,}, C = {self.classes:,}"


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    if quick:
        return [Cell(64, 500)]
    sizes = ((1_000, 10_000), (8_000, 100_000), (64_000, 1_000_000), (9_000, 10_000))
    return [Cell(*size) for size in sizes]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    ms = medians([_sampler(cell, how) for how in (STOCK, COMPOSITE, _XLA, FUSED)], effort)
    return [
        {
            **cell._asdict(),
            "stock_ms": ms[STOCK],
            "composite_ms": ms[COMPOSITE],
            "xla_ms": ms[_XLA],
            "ours_ms": ms[FUSED],
            "ratio": ms[STOCK] / ms[FUSED],
        }
    ]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    ratios = [row["ratio"] for row in rows]
    return {"geometric mean of the ratios": geometric_mean(ratios), "the least": min(ratios)}


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    ratios = {f"({row['sampled']:,}, {row['classes']:,})": row["ratio"] for row in rows}
    drawing.bars(axes, list(ratios), ratios, FUSED, 0)
    axes.axvline(1, color="black", linewidth=0.8)
    drawing.label(axes, "Unique draws, by (S, C)", "times as fast as TensorFlow's kernel", "")


def _sampler(cell: Cell, how: str) -> Contender:
    size = {"num_sampled": cell.sampled, "unique": True, "range_max": cell.classes}

    def run(labels: tf.Tensor, seed: tf.Tensor) -> Any:
        if how == STOCK:
            return tf.random.log_uniform_candidate_sampler(labels, 1, seed=1, **size)
        with tsc.implementation(COMPOSITE if how == COMPOSITE else None):
            return tsc.random.stateless_log_uniform_candidate_sampler(labels, 1, seed=seed, **size)

    labels = tf.zeros([_BATCH, 1], tf.int64)
    step = tf.Variable([1, 0], dtype=tf.int64)

    def feed() -> Sequence[tf.Tensor]:
        return labels, tf.identity(step.assign_add([0, 1]))  # different draws each time

    return Contender(how, tf.function(run, jit_compile=how == _XLA), feed)
