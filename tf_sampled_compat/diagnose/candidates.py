"""The candidates: accidental hits, repetitions, and how much of the classes they reach."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_sampled_compat.diagnose.finding import Finding, failed, percent
from tf_sampled_compat.diagnose.probe import Output, Probe, no_classes

_DRAWS = 8
# Classes of which the expected counts are looked up.
_CLASSES = 4096
# Steps of an epoch whose length is unknown.
_STEPS = 1000


class _Hits(NamedTuple):
    """What the draws hold, as means over them.

    Attributes:
      share: The share of the (row, candidate) pairs that are a true class of the row.
      rows: The share of the rows with such a candidate.
      left: The mean number of such candidates in a row that the loss leaves in.
      repeats: The share of the candidates that are copies of others.
    """

    share: float
    rows: float
    left: float
    repeats: float


def findings(probe: Probe) -> list[Finding]:
    """Examines the candidates of each sampled output."""
    return [f for output in probe.outputs if output.is_sampled for f in _of_output(probe, output)]


def _of_output(probe: Probe, output: Output) -> list[Finding]:
    probe.watch.check()
    draw = probe.untouched.trace(lambda: output.draw().sampled_candidates)
    draws = []
    for _ in range(_DRAWS):
        probe.watch.check()
        draws.append(np.asarray(draw()))
    hits = _count(output, draws)
    found = [_hits(output, hits), _repeats(output, hits)]
    try:
        return [*found, _coverage(probe, output)]
    except Exception as error:  # A sampler of the user may refuse the classes asked for.
        return [*found, failed(output.named("coverage"), error)]


def _count(output: Output, draws: list[np.ndarray]) -> _Hits:
    loss = output.loss
    labels = np.asarray(output.labels)
    true = ~np.isin(labels, no_classes(loss))
    for column in range(1, labels.shape[1]):  # A class counts once in a row.
        true[:, column] &= ~np.any(labels[:, :column] == labels[:, column : column + 1], axis=1)
    rows = []
    for ids in draws:
        ordered = np.sort(ids)
        left, right = (np.searchsorted(ordered, labels, side=side) for side in ("left", "right"))
        copies = np.where(true, right - left, 0)
        stay = np.zeros_like(copies)
        if not loss.exclude_true:
            stay = np.maximum(copies - 1, 0) if loss.remove_accidental_hits else copies
        rows.append(
            [
                copies.sum() / max(len(labels) * len(ids), 1),
                np.mean(copies.sum(axis=1) > 0),
                np.mean(stay.sum(axis=1)),
                1 - len(np.unique(ids)) / max(len(ids), 1),
            ]
        )
    return _Hits(*(float(value) for value in np.mean(rows, axis=0)))


def _hits(output: Output, hits: _Hits) -> Finding:
    loss, name = output.loss, output.named("accidental hits")
    figures = {"rows": hits.rows, "share": hits.share, "left_in_a_row": hits.left}
    seen = f"{percent(hits.rows)} of the rows have a true class among their candidates"
    if hits.left == 0:
        return Finding(name, "ok", f"{seen}; the loss leaves them out", figures=figures)
    seen += f", and {hits.left:.2g} in a row stay negatives"
    nce = loss._kind == "sigmoid"
    severity = "warning" if hits.rows > (0.1 if nce else 0.01) else "note"
    cost = "each pushes a true class down as often as it is drawn"
    if nce:
        cost += ", which NCE's correction allows for"
    way_out = "exclude_true=True" if hits.repeats else "remove_accidental_hits=True"
    return Finding(name, severity, seen, cost, way_out, figures)


def _repeats(output: Output, hits: _Hits) -> Finding:
    loss, name = output.loss, output.named("repetitions")
    figures = {"share": hits.repeats}
    if not hits.repeats:
        return Finding(name, "ok", "the candidates are distinct", figures=figures)
    seen = f"{percent(hits.repeats)} of the candidates are copies of others"
    if loss.exclude_true:
        return Finding(name, "ok", f"{seen}; exclude_true removes every copy", figures=figures)
    return Finding(
        name,
        "warning",
        f"{seen}, and exclude_true is not set",
        "remove_accidental_hits removes the last copy of a true class alone; the others stay its "
        "negatives",
        "exclude_true=True",
        figures,
    )


def _coverage(probe: Probe, output: Output) -> Finding:
    name, classes = output.named("coverage"), output.head.num_classes
    probe.watch.check()
    ids = np.unique(np.linspace(0, classes - 1, min(_CLASSES, classes)).astype(np.int64))
    in_one_draw = probe.untouched.trace(lambda: _probability(output.sampler(), ids, classes))
    p = np.clip(np.asarray(in_one_draw(), np.float64), 0, 1)
    steps = probe.data.steps or _STEPS
    drawn = -np.expm1(steps * output.loss.num_sampled * np.log1p(-np.minimum(p, 1 - 1e-12)))
    tail = drawn[ids >= classes // 2]
    never = float(np.mean(p == 0))
    epoch = f"an epoch of {steps} steps" if probe.data.steps else f"{steps} steps"
    figures = {"drawn": float(drawn.mean()), "drawn_of_tail": float(tail.mean()), "never": never}
    if never:
        return Finding(
            name,
            "warning",
            f"{percent(never)} of the classes can never be drawn",
            "nothing pushes their logits down, so the exact loss and top_k suffer from them",
            "a weight above zero for every class, or tsc.random.MixtureSampler with a uniform part",
            figures,
        )
    seen = (
        f"{epoch} draw{'s' if probe.data.steps else ''} {percent(drawn.mean())} of the classes, "
        f"and {percent(tail.mean())} of the half with the highest ids"
    )
    if tail.mean() >= 0.5:
        return Finding(name, "ok", seen, figures=figures)
    return Finding(
        name,
        "warning" if tail.mean() < 0.01 else "note",
        seen,
        "classes that are neither drawn nor true keep their first weights, and may rank high",
        "a larger num_sampled, or tsc.random.MixtureSampler with a uniform part",
        figures,
    )


def _probability(sampler: Any, ids: np.ndarray, classes: int) -> tf.Tensor:
    """Returns the probability of each class in one draw, float64."""
    if hasattr(sampler, "samplers") and hasattr(sampler, "sizes"):
        parts = [
            size * _probability(each, ids, classes)
            for each, size in zip(sampler.samplers, sampler.sizes)
        ]
        return tf.add_n(parts) / float(sum(sampler.sizes))
    sampler = getattr(sampler, "frequencies", sampler)
    if hasattr(sampler, "probability"):
        return tf.cast(sampler.probability(ids), tf.float64)
    # The expected count of a class in a single draw is its probability.
    count = sampler(ids[:, np.newaxis], 1, 1, False, classes, seed=1)[1]
    return tf.cast(tf.reshape(count, [-1]), tf.float64)
