"""NaN and infinity: whether there are any, and where they came from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.tf import private as tf_private
from tf_sampled_compat.diagnose import work
from tf_sampled_compat.diagnose.finding import Finding, percent
from tf_sampled_compat.diagnose.inputs import Inputs
from tf_sampled_compat.diagnose.probe import Probe, step_of
from tf_sampled_compat.diagnose.stopwatch import OutOfTime
from tf_sampled_compat.keras_common import private

NAME = "NaN"


def findings(probe: Probe) -> list[Finding]:
    """Names the first of inputs, weights, layers, loss and gradients that is not finite."""
    origin = _inputs(probe)
    if origin is not None:
        return [origin]
    origin, weights = _weights(probe)
    if origin is not None:
        return [origin]
    rows = probe.data.seen.said()
    try:
        probe.watch.check(needed=probe.step_seconds or 0.0)
    except OutOfTime as error:
        seen = f"inputs ({rows}) and {weights} are finite; no step was made: {error}"
        return [Finding(NAME, "unknown", seen)]
    examples = probe.examples
    probe, few = work.part(probe) if work.reads_logits(probe) else (probe, examples)
    total, gradients, _ = probe.untouched.trace(step_of(probe))()
    bad = [
        _path(variable)
        for variable, gradient in zip(probe.model.trainable_variables, gradients)
        if not _is_finite(gradient)
    ]
    loss = float(total)
    # tf_keras divides by the number of labels that count. `labels.py` says if there are none.
    empty = any(output.labels is not None and not len(output.labels) for output in probe.outputs)
    if (np.isfinite(loss) or empty) and not bad:
        of_loss = f"the loss of {loss:.4g}" if np.isfinite(loss) else "what the loss adds up"
        seen = f"inputs ({rows}), {weights}, gradients and {of_loss} are finite"
        if few < examples:
            seen += f" (a step of {few} examples)"
        return [Finding(NAME, "ok", seen)]
    layer = _first_layer(probe)
    figures = {"loss": loss, "gradients": float(len(bad))}
    if layer is not None:
        seen = f"the output of the layer {layer!r} is the first that is NaN or infinite"
        way_out = "its inputs and weights are finite: look for a division, a logarithm or overflow"
        return [Finding(NAME, "error", seen, _effect(loss, bad), way_out, figures)]
    if not np.isfinite(loss):
        seen = f"the loss is {loss}, though inputs, weights and all layers are finite"
        way_out = "look at the labels and at the expected counts of the sampler (above zero?)"
        return [Finding(NAME, "error", seen, _effect(loss, bad), way_out, figures)]
    seen = f"the loss of {loss:.4g} is finite, the gradient of {_some(bad)} is not"
    way_out = "look for a root or a norm of zero, or a tf.where that hides a NaN, behind it"
    return [Finding(NAME, "error", seen, _effect(loss, bad), way_out, figures)]


def _inputs(probe: Probe) -> Optional[Finding]:
    batch = Inputs()
    batch.add(probe.data.x)  # Its rows lie anywhere.
    all_seen = probe.data.seen
    found = [(all_seen, n, seen) for n, seen in enumerate(all_seen.seen) if seen.bad]
    found += [(batch, n, seen) for n, seen in enumerate(batch.seen) if seen.bad]
    if not found:
        return None
    looked, n, seen = found[0]
    which = "x" if not tf.nest.is_nested(probe.data.x) else f"input {n} of x"
    rows = f"the {looked.rows} rows of a batch" if looked is batch else looked.said()
    return Finding(
        NAME,
        "error",
        f"{seen.bad} of {seen.numbers} numbers of {which} ({rows}) are NaN or infinite; the first "
        f"is in row {seen.first}",
        way_out="clean the data: one such number makes its row's loss NaN, and so all weights",
        figures={"inputs": float(seen.bad), "rows": float(looked.rows)},
    )


def _weights(probe: Probe) -> tuple[Optional[Finding], str]:
    """Looks at all weights while there is time; returns a finding, or what was looked at."""
    variables = [v for v in probe.model.variables if tf.as_dtype(v.dtype).is_floating]
    variables.sort(key=_numbers)  # The small ones first, in case the time runs out.
    bad: list[tuple[Any, int]] = []
    looked, numbers = 0, sum(map(_numbers, variables))
    try:
        for variable in variables:
            count = 0
            for block in _blocks(variable):
                probe.watch.check()
                values = block()
                count += int(values.size - np.count_nonzero(np.isfinite(values)))
                looked += values.size
            bad += [(variable, count)] if count else []
    except OutOfTime:
        pass
    if not bad:
        return (
            None,
            "weights" if looked == numbers else f"{percent(looked / numbers)} of the weights",
        )
    variable, number = bad[0]
    others = f", and so have {len(bad) - 1} other weights" if len(bad) > 1 else ""
    finding = Finding(
        NAME,
        "error",
        f"the weight {_path(variable)} has {number} numbers that are NaN or infinite{others}",
        way_out="load or make the weights anew; if training made them, lower the learning rate or "
        "set clipnorm=",
        figures={"weights": float(len(bad))},
    )
    return finding, ""


def _numbers(variable: Any) -> int:
    return int(np.prod([int(size) for size in variable.shape], dtype=np.int64))


def _blocks(variable: Any) -> Iterator[Callable[[], np.ndarray]]:
    """Cuts a variable into blocks of rows. Each is read when it is called.

    Reading a whole table that had a sparse update would copy it.
    """
    source = tf_private.unwrap_variable(variable)
    numbers, rows = _numbers(variable), int((*variable.shape, 1)[0])
    if numbers <= work.MOST_NUMBERS:
        yield lambda: np.asarray(source)
        return
    step = max(work.MOST_NUMBERS * rows // numbers, 1)
    for start in range(0, rows, step):
        ids = tf.range(start, min(start + step, rows))
        yield lambda ids=ids: tf.gather(source, ids).numpy()


def _first_layer(probe: Probe) -> Optional[str]:
    """Runs the model once more and returns the first layer whose output is not finite."""
    seen: list[tuple[str, tf.Tensor]] = []

    def forward() -> list[tf.Tensor]:
        graph = tf.compat.v1.get_default_graph()
        with _watched(probe.model, seen):
            probe.model(tf.nest.map_structure(_as_input, probe.data.x), training=True)
        # A tensor of a loop's body cannot leave it.
        seen[:] = [(name, tensor) for name, tensor in seen if tensor.graph is graph]
        return [tf.reduce_all(tf.math.is_finite(tensor)) for _, tensor in seen]

    finite = probe.untouched.trace(forward)()
    return next((name for (name, _), good in zip(seen, finite) if not bool(good)), None)


@contextlib.contextmanager
def _watched(model: Any, seen: list[tuple[str, tf.Tensor]]) -> Iterator[None]:
    """Records the outputs of the layers' `call` inside the context."""
    layers = private.all_layers(model, itself=False)

    def watched(layer: Any) -> Any:
        call = layer.call

        @tf.autograph.experimental.do_not_convert
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            for each in tf.nest.flatten(result):
                if isinstance(each, tf.Tensor) and each.dtype.is_floating:
                    seen.append((layer.name, each))
            return result

        return wrapped

    try:
        for layer in layers:
            # Past Keras's own bookkeeping of attributes.
            object.__setattr__(layer, "call", watched(layer))
        yield
    finally:
        for layer in layers:
            if "call" in vars(layer):
                object.__delattr__(layer, "call")


def _as_input(array: Any) -> Any:
    return tf.cast(array, tf.float32) if getattr(array, "dtype", None) == np.float64 else array


def _is_finite(values: tf.Tensor) -> bool:
    return bool(tf.reduce_all(tf.math.is_finite(tf.cast(values, tf.float32))))


def _path(variable: Any) -> str:
    return str(getattr(variable, "path", variable.name))


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} others" if len(names) > 3 else "")


def _effect(loss: float, bad: list[str]) -> str:
    effect = f"the loss is {loss:.4g}"
    return effect + (f", the gradient of {_some(bad)} not finite" if bad else "")
