"""The curves of a run as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tf_sampled_compat.demo.report import comparison
from tf_sampled_compat.demo.training import Entry

# The colours of Okabe and Ito, which colour-blind readers can tell apart. A dashed curve shows the
# twin that it covers.
_STYLES = {
    "full_softmax": {"color": "#D55E00", "linewidth": 4, "alpha": 0.5},
    "tf.nn.sampled_softmax": {"color": "#000000", "linewidth": 4, "alpha": 0.35},
    "SampledSoftmax": {"color": "#0072B2", "linestyle": "-"},
    "SampledSparseSoftmax": {"color": "#E69F00", "linestyle": (0, (4, 4))},
    "RankSampledSoftmax": {"color": "#CC79A7", "linestyle": "-"},
    "tf.nn.nce": {"color": "#8B4513", "linewidth": 4, "alpha": 0.4},
    "NCE": {"color": "#009E73", "linestyle": (0, (2, 2))},
}
_SMALLEST_SHOWN = 1e-9  # A logarithmic axis cannot show zero.


def draw(entries: Sequence[Entry], path: Path, *, title: str) -> None:
    """Writes the training losses, held-out losses and differences from the twins as a PNG.

    Args:
      entries: The contenders, fully or partly trained.
      path: The file, whose folder exists.
      title: The line above the panels.

    Raises:
      OSError: If the file cannot be written.
    """
    figure = Figure(figsize=(15, 5.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    training, held_out, differences = figure.subplots(1, 3)
    _label(training, "Training: each loss by its own definition", "loss of a batch, nats")
    _label(held_out, "Held-out text: full softmax over all classes", "cross entropy, nats")
    _label(differences, "Off the TensorFlow twin", "largest relative difference")
    differences.set_yscale("log")
    for entry in entries:
        style = _STYLES.get(entry.contender.name, {})
        label, record = entry.contender.name, entry.record
        training.plot(*_smooth(record.losses), label=label, **style)
        steps, figures = zip(*record.curve) if record.curve else ((), ())
        held_out.plot(steps, [each.loss for each in figures], label=label, **style)
        _draw_differences(differences, entry, entries, style)
    # The first two panels share their curves and one legend; the third has its own.
    figure.legend(*training.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    if differences.lines:
        differences.set_ylim(_SMALLEST_SHOWN / 2, max(differences.get_ylim()[1], 1e-4))
        differences.legend(fontsize=8, loc="upper left")
    figure.savefig(path, format="png")


def draw_full_softmax(entries: Sequence[Entry], path: Path, *, title: str) -> None:
    """Writes a PNG of the losses of sampling and of the full softmax, step by step.

    Args:
      entries: The contenders, fully or partly trained, with the full softmax among them.
      path: The file, whose folder exists.
      title: The line above the panel.

    Raises:
      OSError: If the file cannot be written.
    """
    figure = Figure(figsize=(7, 4.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _label(axes, title, "held-out loss over all classes, nats")
    for name in ("full_softmax", "SampledSoftmax", "NCE"):
        for entry in entries:
            if entry.contender.name == name and entry.record.curve:
                steps, figures = zip(*entry.record.curve)
                losses = [each.loss for each in figures]
                axes.plot(steps, losses, label=name, **_STYLES[name])
    axes.legend()
    figure.savefig(path, format="png")


def _draw_differences(axes, entry: Entry, entries: Sequence[Entry], style: dict) -> None:
    compared = comparison(entry, entries)
    if not compared:
        return
    name = entry.contender.name
    so_far = np.maximum.accumulate(compared.whole_run)
    axes.plot(
        np.arange(1, len(so_far) + 1),
        np.maximum(so_far, _SMALLEST_SHOWN),
        label=f"{name}: whole run, so far",
        color=style.get("color"),
        linestyle=style.get("linestyle"),
    )
    if entry.record.differences:
        steps, values = zip(*entry.record.differences)
        axes.plot(
            steps,
            np.maximum(values, _SMALLEST_SHOWN),
            "o",
            markersize=4,
            color=style.get("color"),
            label=f"{name}: same state, with gradients",
        )


def _smooth(losses: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Averages up to fifty neighbouring steps, because single batches are noisy."""
    figures = np.asarray(losses, np.float64)
    width = max(1, min(50, len(figures) // 10))
    if not len(figures):
        return figures, figures
    means = np.convolve(figures, np.full(width, 1 / width), mode="valid")
    return np.arange(len(means)) + (width + 1) / 2, means


def _label(axes, title: str, y: str) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("training steps")
    axes.set_ylabel(y)
    axes.grid(alpha=0.25)
