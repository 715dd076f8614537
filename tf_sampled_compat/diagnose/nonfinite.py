"""NaN and infinity: whether there are any, and where they came from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.diagnose.finding import Finding
from tf_sampled_compat.diagnose.probe import Probe, step_of
from tf_sampled_compat.keras_common import private

NAME = "NaN"


def findings(probe: Probe) -> list[Finding]:
    """Names the first of inputs, weights, layers, loss and gradients that is not finite."""
    origin = _inputs(probe) or _weights(probe)
    if origin is not None:
        return [origin]
    total, gradients, _ = probe.untouched.trace(step_of(probe))()
    bad = [
        _path(variable)
        for variable, gradient in zip(probe.model.trainable_variables, gradients)
        if not _is_finite(gradient)
    ]
    loss = float(total)
    if np.isfinite(loss) and not bad:
        seen = f"inputs, weights, gradients and the loss of {loss:.4g} are finite"
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
    for n, array in enumerate(tf.nest.flatten(probe.data.x)):
        values = np.asarray(getattr(array, "flat_values", getattr(array, "values", array)))
        if values.dtype.kind != "f" or np.all(np.isfinite(values)):
            continue
        bad = int(np.sum(~np.isfinite(values)))
        which = "x" if not tf.nest.is_nested(probe.data.x) else f"input {n} of x"
        seen = f"{bad} of {values.size} numbers of {which} in the batch are NaN or infinite"
        way_out = "clean the data: one such number makes its row's loss NaN, and so all weights"
        return Finding(NAME, "error", seen, way_out=way_out, figures={"inputs": float(bad)})
    return None


def _weights(probe: Probe) -> Optional[Finding]:
    variables = [v for v in probe.model.variables if tf.as_dtype(v.dtype).is_floating]
    if not variables:
        return None

    def count() -> list[tf.Tensor]:
        return [
            tf.math.count_nonzero(~tf.math.is_finite(tf.convert_to_tensor(v))) for v in variables
        ]

    counts = [int(n) for n in probe.untouched.trace(count)()]
    bad = [(v, n) for v, n in zip(variables, counts) if n]
    if not bad:
        return None
    variable, number = bad[0]
    others = f", and so have {len(bad) - 1} other weights" if len(bad) > 1 else ""
    return Finding(
        NAME,
        "error",
        f"the weight {_path(variable)} has {number} numbers that are NaN or infinite{others}",
        way_out="load or make the weights anew; if training made them, lower the learning rate or "
        "set clipnorm=",
        figures={"weights": float(len(bad))},
    )


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
