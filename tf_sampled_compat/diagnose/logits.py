"""What makes each step compute the logits of all classes, and what that costs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_sampled_compat.diagnose import compiled, work
from tf_sampled_compat.diagnose.finding import Finding, milliseconds
from tf_sampled_compat.diagnose.probe import Output, Probe, step_of
from tf_sampled_compat.diagnose.stopwatch import OutOfTime

NAME = "logits"
# A step that takes so many times as long is worth a warning.
_MUCH = 1.2
# Logits of a batch that are many, where no time could be measured.
_MANY = 2**22


def findings(probe: Probe) -> list[Finding]:
    """Examines losses, metrics and `run_eagerly` of each output that has a head."""
    return [
        finding
        for n, output in enumerate(probe.outputs)
        if output.head is not None
        for finding in _of_output(probe, n, output)
    ]


def _of_output(probe: Probe, n: int, output: Output) -> list[Finding]:
    name, classes = output.named(NAME), output.head.num_classes
    size = output.rows * classes * 4 / 2**20
    matrix = f"[{output.rows}, {classes}] matrix ({size:.3g} MiB)"
    if output.loss is not None and not compiled.is_ours(output.loss):
        seconds = probe.step_seconds
        loss = compiled.name_of(output.loss)
        return [
            Finding(
                name,
                "warning" if output.rows * classes >= _MANY else "note",
                f"the loss {loss!r} reads the logits: each step computes a {matrix} and the "
                "gradient of the whole table",
                "" if seconds is None else f"the step without its update takes {_ms(seconds)}",
                f"compile(loss={_module(probe)}.losses.SampledSoftmax(num_sampled=...)), which is "
                "exact in evaluation",
                {} if seconds is None else {"step_ms": seconds * 1000},
            )
        ]
    readers = [metric for metric in output.compiled.metrics if not compiled.is_ours(metric)]
    if not readers and not getattr(probe.model, "run_eagerly", False):
        return [Finding(name, "ok", "nothing reads the logits, so no step computes them")]
    if readers:
        names = ", ".join(repr(compiled.name_of(metric)) for metric in readers)
        one = len(readers) == 1
        seen = f"the metric{'' if one else 's'} {names} read{'s' if one else ''} the logits"
        seen += f" of {classes} classes: each step computes a {matrix}"
        way_out = (
            f"{_module(probe)}.metrics.ExactRecallAtK(1) and its like instead: evaluation alone "
            "computes them, without a matrix of logits"
        )
    else:
        seen = f"run_eagerly=True prunes nothing: each step computes a {matrix} of logits"
        way_out = "compile(run_eagerly=False)"
    try:
        without = probe.step_seconds or _time(probe, "step", n, None)
        seconds, few = _with_logits(probe, n, readers, without)
    except OutOfTime as error:
        many = output.rows * classes >= _MANY
        cost = f"not measured: {error}"
        return [Finding(name, "warning" if many else "note", seen, cost, way_out)]
    return [
        Finding(
            name,
            "warning" if seconds > _MUCH * without else "note",
            seen,
            f"a step takes {_ms(seconds)}, without them {_ms(without)} (updates not counted"
            + ("" if few == probe.examples else f"; measured on {few} examples")
            + ")",
            way_out,
            {"step_ms": without * 1000, "step_with_logits_ms": seconds * 1000},
        )
    ]


def _with_logits(probe: Probe, n: int, readers: Any, without: float) -> tuple[float, int]:
    """Returns the time of a step that computes logits, and of how many examples it was made."""
    part, few = work.part(probe)
    if few == probe.examples:
        return _time(probe, "step with logits", n, readers), few
    logits = _time(part, "step of a part with logits", n, readers)
    logits -= _time(part, "step of a part", n, None)
    return without + max(logits, 0.0) * probe.examples / few, few


def _time(probe: Probe, what: str, n: int, readers: Any) -> float:
    probe.watch.check()
    if readers is None:
        return probe.watch.time(what, probe.untouched.trace(step_of(probe)))
    copies = [_copy(metric) for metric in readers]
    labels = probe.outputs[n].y

    def read(flat: list[Any]) -> Any:
        logits, read = flat[n], []
        for copy in copies:
            if copy is not None:
                copy.update_state(labels, logits)
                read += [tf.convert_to_tensor(variable) for variable in copy.variables]
        # The stand-in of a metric that cannot be copied, and of eager execution.
        return read or tf.argmax(logits, axis=-1)

    try:
        step = probe.untouched.trace(step_of(probe, read))
    except Exception:  # Whatever a metric of the user raises.
        copies = []
        step = probe.untouched.trace(step_of(probe, read))
    return probe.watch.time(what, step)


def _copy(metric: Any) -> Any:
    """Returns a metric that counts for itself, or None for a name or a function."""
    if not hasattr(metric, "update_state") or not hasattr(type(metric), "from_config"):
        return None
    try:
        return type(metric).from_config(metric.get_config())
    except Exception:  # A config that does not describe its metric.
        return None


def _module(probe: Probe) -> str:
    return f"tsc.{'tf_keras' if probe.keras.__name__.startswith('tf_keras') else 'keras'}"


_ms = milliseconds
