"""The labels: whether their dtype holds every class, and whether the sampler's law fits them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf_sampled_compat.diagnose.finding import Finding, percent
from tf_sampled_compat.diagnose.probe import Output, Probe, no_classes
from tf_sampled_compat.keras_common.sampled_head_loss import SampledHeadLoss

# Fewer labels say too little about a law.
_FEWEST = 100
# Distances (total variation) between labels and law.
_SOME, _MUCH = 0.25, 0.4


def findings(probe: Probe) -> list[Finding]:
    """Examines the labels of each output that has a head."""
    heads = [output for output in probe.outputs if output.head is not None]
    return [f for output in heads for f in (*_values(output), *_law(output))]


def _values(output: Output) -> list[Finding]:
    name, classes = output.named("labels"), output.head.num_classes
    raw = output.raw
    if raw is None or output.labels is None:
        shape = getattr(output.y, "shape", None) or np.shape(output.y)
        seen = f"labels of shape {tuple(shape)} are no class ids of the head's outputs"
        way_out = "integer ids of shape [...] or [..., num_true], not one-hot vectors"
        return [Finding(name, "error", seen, way_out=way_out)]
    largest = _largest_of(raw.dtype)
    if largest < classes - 1:
        worst = (
            "ids above are rounded to another class"
            if raw.dtype.kind == "f"
            else "ids above overflow to other classes or negative numbers"
        )
        return [
            Finding(
                name,
                "error",
                f"{raw.dtype} holds class ids up to {largest} exactly, and there are {classes} "
                f"classes: {worst}",
                way_out="labels of dtype int64 from the start",
                figures={"largest_exact": float(largest)},
            )
        ]
    real = raw[~np.isin(raw, no_classes(output.loss))]
    if raw.dtype.kind == "f" and not np.all(np.isfinite(real)):
        bad = int(np.sum(~np.isfinite(real)))
        return [Finding(name, "error", f"{bad} of {len(raw)} are NaN or infinite")]
    below, above = int(np.sum(real < 0)), int(np.sum(real >= classes))
    if below or above:
        smallest = f"; the smallest is {np.min(real):.0f}, the largest {np.max(real):.0f}"
        way_out = (
            "int64 labels, if ids have overflowed int32; padding_label=, if they are padding"
            if below
            else f"SampledDense(num_classes={int(np.max(real)) + 1}) or more"
        )
        return [
            Finding(
                name,
                "error",
                f"{below} of {len(raw)} are negative and {above} are not below {classes}{smallest}",
                way_out=way_out,
                figures={"negative": float(below), "too_large": float(above)},
            )
        ]
    fractions = int(np.sum(real != np.floor(real))) if raw.dtype.kind == "f" else 0
    if fractions:
        seen = f"{fractions} of {len(raw)} have a fraction, so they are no class ids"
        return [Finding(name, "error", seen, way_out="integer class ids")]
    if len(output.labels) == 0:
        seen = (
            f"no label of the batch counts: all {output.rows} rows are padding, ignored or masked"
        )
        way_out = (
            "a batch with labels of classes, to measure the loss and its candidates by: a larger "
            "batch_size=, or look at padding_label=, ignore_class= and the mask"
        )
        return [Finding(name, "warning", seen, way_out=way_out)]
    distinct = len(np.unique(real))
    seen = f"{len(real)} labels of {distinct} classes, all inside [0, {classes})"
    return [Finding(name, "ok", seen, figures={"distinct": float(distinct)})]


def _largest_of(dtype: Any) -> int:
    """Returns the largest n such that the dtype holds all integers from 0 to n."""
    if dtype.kind == "f":
        return 2 ** (np.finfo(dtype).nmant + 1)
    return int(np.iinfo(dtype).max)


def _law(output: Output) -> list[Finding]:
    ours = isinstance(output.loss, SampledHeadLoss) and output.labels is not None
    if not ours or not is_log_uniform(output.loss.sampler):
        return []
    name, classes = output.named("law"), output.head.num_classes
    ids = output.ids()
    if len(ids) == 0:
        return []  # `_values` has said so.
    if len(ids) < _FEWEST:
        return [Finding(name, "ok", f"{len(ids)} labels are too few to compare with log-uniform")]
    seen, stated = _doublings(ids, classes)
    noise = float(np.sum(np.sqrt(stated * (1 - stated) / len(ids)))) / np.sqrt(2 * np.pi)
    distance = max(float(np.abs(seen - stated).sum()) / 2 - noise, 0.0)
    chi_squared = max(float(np.sum(seen**2 / stated)) - 1, 0.0)
    worth = output.loss.num_sampled / (1 + chi_squared)
    worst = int(np.argmax(seen - stated))
    first, last = 2**worst - 1, min(2 ** (worst + 1) - 2, classes - 1)
    where = (
        f"{percent(seen[worst])} of the labels are classes {first} to {last}, log-uniform expects "
        f"{percent(stated[worst])}"
    )
    figures = {"distance": distance, "worth_num_sampled": worth}
    if distance < _SOME:
        return [Finding(name, "ok", f"the labels are about log-uniform: {where}", figures=figures)]
    return [
        Finding(
            name,
            "warning" if distance >= _MUCH else "note",
            f"the sampler is log-uniform, the labels are not (distance {distance:.2f} of 1): "
            + where,
            f"frequent classes are seldom negatives: {output.loss.num_sampled} candidates are "
            f"worth {worth:.0f}, and the training loss looks better than the exact one",
            "number the classes by decreasing frequency; or sampler={'name': 'fixed_unigram', "
            "'unigrams': counts}; or a tsc.random.LearnedUnigramSampler",
            figures,
        )
    ]


def is_log_uniform(sampler: Any) -> bool:
    """Whether a loss's sampler, as the loss holds it, takes low ids for frequent classes."""
    if isinstance(sampler, Mapping):
        sampler = sampler.get("name")
    if isinstance(sampler, functools.partial):
        sampler = sampler.func
    name = sampler if isinstance(sampler, str) else getattr(sampler, "__name__", "")
    return "log_uniform" in name


def _doublings(ids: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the shares of the labels and of the law in [0, 1), [1, 3), [3, 7), ... of ids."""
    edges = 2.0 ** np.arange(int(np.floor(np.log2(classes))) + 2) - 1
    edges[-1] = max(classes, edges[-2] + 1)
    edges = np.minimum(edges, classes)
    place = np.searchsorted(edges, ids, side="right") - 1
    seen = np.bincount(place, minlength=len(edges) - 1) / len(ids)
    stated = np.diff(np.log1p(edges)) / np.log1p(classes)
    keep = stated > 0
    return seen[: len(keep)][keep], stated[keep]
