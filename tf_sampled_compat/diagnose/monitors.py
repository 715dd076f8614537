"""Callbacks that wait for a metric which `fit` never updates."""

from __future__ import annotations

from typing import Any

from tf_sampled_compat.diagnose import compiled
from tf_sampled_compat.diagnose.finding import Finding
from tf_sampled_compat.diagnose.probe import Probe


def findings(probe: Probe) -> list[Finding]:
    """Examines each callback that monitors something."""
    watching = [c for c in probe.callbacks if isinstance(getattr(c, "monitor", None), str)]
    names = _never_updated(probe)
    found = []
    for callback in watching:
        if callback.monitor not in names:
            continue
        kind = type(callback).__name__
        found.append(
            Finding(
                "callbacks",
                "error",
                f"{kind} monitors {callback.monitor!r}, which only evaluation updates: in fit it "
                "is NaN after every epoch",
                "no comparison with NaN holds, so "
                + (
                    f"it stops after {callback.patience} epochs without a reason"
                    if kind == "EarlyStopping"
                    else "it takes no epoch for the best, or each for a bad one"
                ),
                f"monitor='val_{callback.monitor}', and validation_data= in fit",
            )
        )
    if found or not watching:
        return found
    monitored = ", ".join(f"{type(c).__name__}: {c.monitor}" for c in watching)
    return [Finding("callbacks", "ok", f"what is monitored is updated ({monitored})")]


def _never_updated(probe: Probe) -> set[str]:
    return {
        f"{output.compiled.name}_{name}" if output.compiled.name else name
        for output in probe.outputs
        for metric in output.compiled.metrics
        if is_evaluation_only(metric)
        for name in [compiled.name_of(metric)]
    }


def is_evaluation_only(metric: Any) -> bool:
    """Whether a metric is never updated by `fit`."""
    return compiled.is_ours(metric) and bool(getattr(metric, "evaluation_only", True))
