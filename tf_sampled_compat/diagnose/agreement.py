"""Whether the sampled loss and its gradient agree with those over all classes."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tf_sampled_compat.diagnose import work
from tf_sampled_compat.diagnose.finding import Finding, percent
from tf_sampled_compat.diagnose.probe import Output, Probe

NAME = "num_sampled"
_DRAWS = 8
_FEWEST_ROWS, _MOST_ROWS = 4, 256
# Differences, as shares of the exact value, that are worth a warning. Some gap is usual: the true
# class counts as one of the candidates, so its expected count lowers the sampled loss.
_GAP, _BIAS = 0.5, 0.3


def findings(probe: Probe) -> list[Finding]:
    """Compares sampled and exact loss on the batch, for each sampled output."""
    return [_of_output(probe, output) for output in probe.outputs if output.is_sampled]


def _of_output(probe: Probe, output: Output) -> Finding:
    name, loss = output.named(NAME), output.loss
    if loss._kind == "sigmoid":
        return Finding(
            name,
            "ok",
            f"{loss.num_sampled}; NCE's training loss and its exact loss sum over different "
            "classes, so they are not compared",
        )
    probe.watch.check()
    some = _some_rows(output)
    rows = len(some.labels)
    # Candidates that are the labels of the batch need the whole batch.
    drawing = output if _takes_labels(output.sampler()) else some
    values, gradients = [], []
    draw = probe.untouched.trace(lambda: _value_and_gradient(drawing, True, rows))
    for _ in range(_DRAWS):
        probe.watch.check(needed=probe.step_seconds or 0.0)
        value, gradient = draw()
        values.append(float(value))
        gradients.append(np.asarray(gradient, np.float64))
    probe.watch.check()
    exact, full = probe.untouched.trace(lambda: _value_and_gradient(some, False, rows))()
    return _compare(output, values, gradients, float(exact), np.asarray(full, np.float64))


def _some_rows(output: Output) -> Output:
    products = output.head.num_classes * output.dim
    rows = int(np.clip(work.MOST_PRODUCTS // products, _FEWEST_ROWS, _MOST_ROWS))
    return output._replace(inputs=output.inputs[:rows], labels=output.labels[:rows])


def _takes_labels(sampler: object) -> bool:
    """Whether candidates are the labels of the batch."""
    parts = getattr(sampler, "samplers", [sampler])
    return any(hasattr(part, "frequencies") for part in parts)


def _value_and_gradient(output: Output, training: bool, rows: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean loss of the first rows, and its gradient for their inputs of the head."""
    inputs = tf.identity(output.inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = tf.reduce_mean(output.values(inputs, training)[:rows])
    return value, tape.gradient(value, inputs)[:rows]


def _compare(
    output: Output,
    values: list[float],
    gradients: list[np.ndarray],
    exact: float,
    full: np.ndarray,
) -> Finding:
    name, loss = output.named(NAME), output.loss
    sampled, draws = float(np.mean(values)), len(values)
    if not math.isfinite(sampled) or not math.isfinite(exact):
        seen = f"the sampled loss is {sampled:.4g} and the exact one {exact:.4g}"
        return Finding(name, "unknown", seen + ": see NaN")
    size = max(float(np.linalg.norm(full)), 1e-30)
    mean = np.mean(gradients, axis=0)
    variance = sum(float(np.sum((g - mean) ** 2)) for g in gradients) / (draws - 1)
    # The mean of a few draws is noisy itself.
    bias = math.sqrt(max(float(np.sum((mean - full) ** 2)) - variance / draws, 0.0)) / size
    noise = math.sqrt(variance) / size
    gap = (sampled - exact) / max(abs(exact), 1e-30)
    figures = {
        "sampled_loss": sampled,
        "exact_loss": exact,
        "gap": gap,
        "gradient_bias": bias,
        "gradient_noise": noise,
    }
    seen = (
        f"num_sampled={loss.num_sampled}: sampled loss {sampled:.4g}, exact {exact:.4g}; gradient "
        f"of the head's inputs: bias {percent(bias)}, noise {percent(noise)} of the exact one"
    )
    worst = max(abs(gap) / _GAP, bias / _BIAS)
    if worst <= 1:
        return Finding(name, "ok", seen, figures=figures)
    if hasattr(loss, "num_resampled"):
        cost = "TAPAS is biased by design: it trains the top of the list, not the probabilities"
        return Finding(name, "note", seen, cost, figures=figures)
    better = "better" if gap < 0 else "worse"
    wanted = min(2 ** math.ceil(math.log2(loss.num_sampled * worst)), output.head.num_classes)
    return Finding(
        name,
        "warning",
        seen,
        f"the training loss looks {better} than the model is, by {percent(abs(gap))}",
        f"num_sampled={wanted} (the bias falls as 1 / num_sampled), or a sampler whose law is "
        "closer to the labels",
        figures,
    )
