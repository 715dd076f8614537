"""The training step with the terms of docs/terms.md, each alone and all at once, against none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.bench import drawing, steps
from tf_sampled_compat.bench.steps import FUSED, STOCK, Shape
from tf_sampled_compat.bench.timing import Effort, medians

TITLE = "temperature, cosines, margin, weights, smoothing, z-loss: a step with them against none"
COLUMNS = (
    ("(B, D, S, T)", "shape", ""),
    ("terms", "terms", ""),
    ("none ms", "none_ms", ".2f"),
    ("with ms", "with_ms", ".2f"),
    ("times", "times_none", ".3f"),
    ("ops of ours", "own_ops", "d"),
)
_NONE, _ALL = "none", "all"


class Cell(NamedTuple):
    """A shape, and the names of the terms."""

    shape: Shape
    terms: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.shape} {self.name}"

    @property
    def name(self) -> str:
        """The terms in a word."""
        return _ALL if len(self.terms) > 2 else " + ".join(self.terms) or "TensorFlow's"


def _options(shape: Shape, terms: Sequence[str]) -> dict[str, Any]:
    """Returns the arguments of the loss for some terms."""
    known = {
        "temperature": 1 / 16,
        "normalize": True,
        "margin": tsc.margins.ArcFace(0.3),
        "label_weights": tf.fill([shape.batch, shape.true], 0.9 / shape.true),
        "label_smoothing": 0.1,
        "z_loss": 1e-4,
    }
    return {term: known[term] for term in terms}


_TERMS = ("temperature", "normalize", "margin", "label_weights", "label_smoothing", "z_loss")


def cells(quick: bool) -> Sequence[Cell]:
    """See `sections.Section`."""
    shape = Shape(16, 8, 32, classes=500) if quick else Shape(1024, 128, 8192)
    alone = [("normalize", term) if term == "margin" else (term,) for term in _TERMS]
    sets = [(), *([] if quick else alone), _TERMS]
    wide = Shape(16, 8, 32, true=2, classes=500) if quick else Shape(1024, 128, 8192, true=5)
    return [*(Cell(shape, terms) for terms in sets), Cell(wide, _TERMS)]


def measure(cell: Cell, effort: Effort) -> list[dict[str, Any]]:
    """See `sections.Section`."""
    shape = cell.shape
    on, values = steps.tables(shape.classes, shape.dim), steps.skewed_values(shape)
    none = steps.contender("softmax", FUSED, shape, on, values)._replace(name=_NONE)
    if cell.terms:
        options = _options(shape, cell.terms)
        other = steps.contender("softmax", FUSED, shape, on, values, options=options)
    else:  # The call without terms is one op, as it was before there were terms.
        other = steps.contender("softmax", STOCK, shape, on, values)
    own = none if not cell.terms else other
    ms = medians([none, other], effort)
    return [
        {
            **shape._asdict(),
            "shape": str(shape),
            "terms": cell.name,
            "none_ms": ms[_NONE],
            "with_ms": ms[other.name],
            "times_none": ms[other.name] / ms[_NONE],
            "own_ops": steps.num_ops(own, of_package=True),
        }
    ]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """See `sections.Section`."""
    return {
        "all terms, times none": max(r["times_none"] for r in rows if r["terms"] == _ALL),
    }


def draw(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """See `sections.Section`."""
    times = {f"{row['shape']} {row['terms']}": row["times_none"] for row in rows}
    drawing.bars(axes, list(times), times, FUSED, 0)
    axes.axvline(1, color="black", linewidth=0.8)
    drawing.label(axes, "Terms, by (B, D, S, T)", "times the step without", "")
