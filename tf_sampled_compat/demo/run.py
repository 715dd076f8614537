"""One run of the demo, from the corpus to the report."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf
from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn

from tf_sampled_compat.cli import console as cli
from tf_sampled_compat.cli import exit_codes
from tf_sampled_compat.core.backends import choice, library
from tf_sampled_compat.demo import contenders, curves, evaluation, report, training
from tf_sampled_compat.demo.corpus import Corpus
from tf_sampled_compat.demo.interruption import Interruption
from tf_sampled_compat.demo.plan import Plan
from tf_sampled_compat.demo.training import Entry

# The neighbours of these are shown; if the text has none, those of its most frequent identifiers.
_KNOWN = ("True", "int", "for", "path", "ValueError", "assertEqual")
_NEIGHBOURS = 6
_FREQUENT = 1000
_MILLISECONDS = [
    "ms a step: the median of train_on_batch; times as fast: compared with the tf.nn twin"
]
if not hasattr(tf.keras, "Variable"):
    _MILLISECONDS.append(
        "    (Keras 2 makes a tf.data.Dataset for each, which takes longer than a small step)"
    )
_NOTES = (
    "training loss: nats, the last tenth of the steps, each by its own definition",
    "tf.nn: called in a train_step by hand, with Keras's Adagrad; the others: tsc.keras.losses,",
    "    compiled with LazyAdagrad, which makes the same updates, but only of the rows that occur",
    *_MILLISECONDS,
    "held-out loss (nats), mean rank, recall@10: by the full softmax, whatever the loss",
    "same state: largest relative difference of losses and gradients from the tf.nn twin,",
    "    both computed on the same variables, batch and candidates",
    "whole run: largest relative difference of the mean losses of the two trainings at a step",
    "TAPAS (RankSampledSoftmax) trains against the classes that the batch finds most probable:",
    "    good at the top, not calibrated over the tail",
)


def run(corpus: Corpus, plan: Plan, *, folder: Path, started: float) -> int:
    """Trains, evaluates, prints the report and writes the curves.

    Args:
      corpus: The text.
      plan: How to train.
      folder: Where the curves go, as PNGs.
      started: `time.perf_counter()` when the demo began.

    Returns:
      The exit code: 0; 1 if a picture cannot be written; 130 after Ctrl-C.
    """
    console = cli.make()
    # Around everything: a KeyboardInterrupt raised in a finaliser would be lost, a request is not.
    with Interruption() as interruption, _without_warnings():
        cli.show(console, _about(corpus, plan))
        time_left = TimeRemainingColumn(elapsed_when_finished=True)
        with cli.progress(console, time_left, width=10) as progress:
            entries = _enter(corpus, plan, progress, interruption)
            steps = _train(entries, corpus, plan, progress, interruption)
            if steps:
                _evaluate(entries, corpus, plan, progress, interruption)
    if not steps:
        cli.show(console, "stopped before the first step")
        return exit_codes.INTERRUPTED
    _show_results(console, entries, corpus, plan, steps, interrupted=interruption.requested)
    title = (
        f"{steps:,} steps of {plan.batch}, {plan.num_sampled:,} candidates "
        f"of {corpus.num_classes:,} identifiers"
    )
    pictures = {folder / "curves.png": curves.draw}
    if plan.full_softmax:
        pictures[folder / "full_softmax.png"] = curves.draw_full_softmax
    for picture, draw in pictures.items():
        try:
            draw(entries, picture, title=title)
        except OSError as error:
            cli.show(console, f"cannot write {picture}: {error.strerror}")
            return exit_codes.FAILED
    drawn = ", ".join(map(str, pictures))
    cli.show(console, f"curves: {drawn}   {time.perf_counter() - started:.0f} s in all")
    return exit_codes.INTERRUPTED if interruption.requested else exit_codes.OK


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Silences TensorFlow's warnings: it takes the tracing of several models for retracing."""
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _about(corpus: Corpus, plan: Plan) -> str:
    return (
        f"text: {corpus.counts.sum():,} identifiers, {corpus.num_classes:,} distinct, to train on; "
        f"{len(corpus.held_out):,} places held out, without the {corpus.unknown:.1%} "
        "outside the vocabulary\n"
        f"model: the last {plan.width} identifiers, {plan.dim} numbers each, to the next one; "
        f"Adagrad, {plan.steps:,} steps of {plan.batch}, {plan.num_sampled:,} candidates, "
        f"seed {plan.seed}\n{_path()}"
    )


def _path() -> str:
    """Returns the line that says how the package computes its losses here."""
    name, reason = choice.path(choice.Call())
    if reason:
        return f"tsc: {name}, TensorFlow's own ops, as {reason}"
    op = library.load()
    return f"tsc: {name}, the C++ op for {op.instruction_set} on {op.threads} threads"


def _enter(
    corpus: Corpus, plan: Plan, progress: Progress, interruption: Interruption
) -> list[Entry]:
    rivals = contenders.contenders(
        num_sampled=plan.num_sampled, num_classes=corpus.num_classes, seed=plan.seed
    )
    if plan.full_softmax:
        rivals.insert(0, contenders.full_softmax())
    task = progress.add_task("building", total=len(rivals), note="one model for each loss")
    return training.enter(
        rivals,
        corpus,
        plan,
        advance=lambda: progress.update(task, advance=1),
        stopped=lambda: interruption.requested,
    )


def _train(
    entries: Sequence[Entry],
    corpus: Corpus,
    plan: Plan,
    progress: Progress,
    interruption: Interruption,
) -> int:
    task = progress.add_task("training", total=plan.steps, note="tracing the first step")

    def advance() -> None:
        note = f"held-out loss {entries[0].record.curve[-1][1].loss:.2f}"
        progress.update(task, advance=1, note=note)

    return training.train(
        entries, corpus, plan, advance=advance, stopped=lambda: interruption.requested
    )


def _evaluate(
    entries: Sequence[Entry],
    corpus: Corpus,
    plan: Plan,
    progress: Progress,
    interruption: Interruption,
) -> None:
    """Takes the last held-out figures; on fewer places after Ctrl-C."""
    task = progress.add_task("evaluating", total=len(entries), note="full softmax")
    many = training.sample(corpus.held_out, plan.final_places)
    few = training.sample(corpus.held_out, plan.curve_places)
    # The same places for all, so that their figures can be compared.
    places = few if interruption.requested else many
    for entry in entries:
        entry.record.final = entry.evaluate(places)
        progress.update(task, advance=1)


def _show_results(
    console: Console,
    entries: Sequence[Entry],
    corpus: Corpus,
    plan: Plan,
    steps: int,
    *,
    interrupted: bool,
) -> None:
    until = (
        f"stopped after {steps:,} of {plan.steps:,} steps" if interrupted else f"{steps:,} steps"
    )
    shown = next(each for each in entries if each.contender.name == "SampledSoftmax")
    names = [name for name in _KNOWN if name in corpus.vocabulary[:_FREQUENT]]
    found = evaluation.neighbours(
        shown.model,
        corpus,
        names or corpus.vocabulary[: len(_KNOWN)],
        num=_NEIGHBOURS,
        num_frequent=_FREQUENT,
    )
    cli.show(
        console,
        report.results(entries, title=f"Results, {until}"),
        *_NOTES,
        report.neighbourhood(
            found,
            title=f"Neighbours in the table of {shown.contender.name}, among the "
            f"{min(_FREQUENT, corpus.num_classes):,} most frequent",
        ),
    )
