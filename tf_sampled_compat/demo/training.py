"""Trains the contenders side by side, each a step on the same batch, and records the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.demo import model
from tf_sampled_compat.demo.contenders import Contender, compiled, losses_of, table_of
from tf_sampled_compat.demo.corpus import Corpus, Windows
from tf_sampled_compat.demo.evaluation import FullSoftmax, HeldOut
from tf_sampled_compat.demo.model import NextIdentifier
from tf_sampled_compat.demo.plan import Plan

# A batch: contexts `[B, width]` and labels `[B, 1]`.
_IDS = [tf.TensorSpec([None, None], tf.int64), tf.TensorSpec([None, 1], tf.int64)]


@dataclass
class Record:
    """The record of a contender's training.

    Attributes:
      losses: The mean loss of the batch at each step, in nats, by the loss's own definition.
      seconds: The time of each step.
      curve: (steps done, held-out figures on few places).
      differences: (steps done, relative difference from the twin, both on this contender's state).
      final: The last evaluation, on more places.
    """

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    curve: list[tuple[int, HeldOut]] = field(default_factory=list)
    differences: list[tuple[int, float]] = field(default_factory=list)
    final: Optional[HeldOut] = None


class Entry:
    """A contender with its own model, optimizer and record.

    Args:
      contender: The loss.
      values: The initial values of its model.
      plan: How to train.
      twin: The contender that should give the same numbers.
    """

    def __init__(
        self, contender: Contender, values: model.Values, plan: Plan, twin: Optional[Contender]
    ):
        self.contender = contender
        self.model = model.build(values)
        self.evaluate = FullSoftmax(self.model)
        self.compare = twin and _comparison(self.model, contender, twin)
        self.record = Record()
        self._trained = compiled(contender, self.model, learning_rate=plan.learning_rate)

    def step(self, contexts: tf.Tensor, labels: tf.Tensor) -> None:
        """Trains on a batch and records loss and time."""
        self._trained.reset_metrics()  # Otherwise some Kerases, as 3.3, return the mean so far.
        start = time.perf_counter()
        logs = self._trained.train_on_batch(contexts, labels, return_dict=True)
        self.record.seconds.append(time.perf_counter() - start)
        self.record.losses.append(float(logs["loss"]))


def enter(
    contenders: Sequence[Contender],
    corpus: Corpus,
    plan: Plan,
    *,
    advance: Callable[[], None],
    stopped: Callable[[], bool],
) -> list[Entry]:
    """Gives each contender a model; all models have the same initial values.

    Args:
      contenders: The losses.
      corpus: The text.
      plan: How to train.
      advance: Called after each contender.
      stopped: Called before each contender; True leaves out the remaining ones.
    """
    tf.random.set_seed(plan.seed)
    values = model.initial_values(corpus.counts, width=plan.width, dim=plan.dim, seed=plan.seed)
    names = {contender.name: contender for contender in contenders}
    entries = []
    for contender in contenders:
        if stopped():
            break
        entries.append(Entry(contender, values, plan, names.get(contender.twin or "")))
        advance()
    return entries


def train(
    entries: Sequence[Entry],
    corpus: Corpus,
    plan: Plan,
    *,
    advance: Callable[[], None],
    stopped: Callable[[], bool],
) -> int:
    """Trains every entry on the same batches, in turns.

    Args:
      entries: The contenders.
      corpus: The text.
      plan: How to train.
      advance: Called after each round of steps.
      stopped: Called before each round; True ends the training.

    Returns:
      The number of steps taken by each.
    """
    few = sample(corpus.held_out, plan.curve_places)
    every = max(1, plan.steps // plan.points)
    contexts = labels = np.zeros([0])  # A plan of no steps observes no batch.
    for step, (contexts, labels) in enumerate(batches(corpus, plan)):
        if stopped():
            return step
        if step % every == 0:
            for entry in entries:
                _observe(entry, step, few, contexts, labels)
        # Each round another entry goes first, so that the caches favour none.
        first = step % len(entries)
        for entry in [*entries[first:], *entries[:first]]:
            if step == 0 and stopped():
                return 0  # The first steps trace, which takes long.
            entry.step(contexts, labels)
        advance()
    for entry in entries:
        _observe(entry, plan.steps, few, contexts, labels)
    return plan.steps


def batches(corpus: Corpus, plan: Plan) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Yields the `[B, width]` contexts and `[B, 1]` labels of each step."""
    order = np.random.default_rng(plan.seed).permutation(len(corpus.train))
    for step in range(plan.steps):
        places = np.arange(step * plan.batch, (step + 1) * plan.batch)
        batch = corpus.train.take(order[places % len(order)])
        yield tf.constant(batch.contexts), tf.constant(batch.labels)


def sample(windows: Windows, num: int) -> Windows:
    """Returns `num` places spread evenly over the text, or all if there are fewer."""
    return windows.take(np.linspace(0, len(windows), min(num, len(windows)), False).astype(int))


def _observe(entry: Entry, step: int, few: Windows, contexts: tf.Tensor, labels: tf.Tensor):
    entry.record.curve.append((step, entry.evaluate(few)))
    if entry.compare:
        entry.record.differences.append((step, float(entry.compare(contexts, labels))))


def _comparison(trained: NextIdentifier, ours: Contender, twin: Contender):
    """Returns a function that compares two losses and their gradients on one model's state.

    Each draws by its own sampler; the samplers have the same seed, as in training.
    """

    @tf.function(input_signature=_IDS)
    def difference(contexts, labels):
        hidden = trained.encoder(contexts, training=True)

        def results(contender: Contender) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(hidden)
                losses = losses_of(contender, trained.head)(labels, hidden)
            gradients = tape.gradient(losses, [*table_of(trained.head), hidden])
            return [losses, *map(tf.convert_to_tensor, gradients)]

        return tf.reduce_max(
            [
                tf.reduce_max(tf.abs(mine - theirs)) / tf.reduce_max(tf.abs(theirs))
                for mine, theirs in zip(results(ours), results(twin))
            ]
        )

    return difference.get_concrete_function()
