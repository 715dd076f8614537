"""The process that works in one checkout: it makes, counts and times training steps.

    PYTHONPATH=CHECKOUT python worker.py SIZE

Requests are lines of JSON on the standard input; answers go to the standard output. The file uses
only public names of the package, because it also runs in older checkouts.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from typing import Any, Callable, NamedTuple

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc

# Ops that compute nothing, and calls, whose bodies are counted. The bench's grid counts the same.
_PASSIVE = {"Const", "Identity", "NoOp", "Placeholder"}
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_WARM_UP = 3


class Size(NamedTuple):
    """B, D, S and C."""

    batch: int
    dim: int
    sampled: int
    classes: int


SIZES = {"full": Size(256, 128, 1024, 100_000), "quick": Size(16, 8, 32, 500)}


class Step(NamedTuple):
    """A training step.

    Attributes:
      run: Takes the step.
      graph: Traces it.
    """

    run: Callable[[], Any]
    graph: Callable[[], Any]


def make(name: str, size: Size) -> Step:
    """Returns the step of this name."""
    return _fit(size) if name == "Keras fit" else _loss(name, size)


STEPS = ("softmax", "softmax, drawn", "nce", "nce, drawn", "tapas", "full softmax", "Keras fit")


def _loss(name: str, size: Size) -> Step:
    kind, _, drawn = name.partition(", ")
    rng = np.random.default_rng(0)
    weights = tf.Variable(rng.standard_normal((size.classes, size.dim), np.float32) * 0.1)
    biases = tf.Variable(tf.zeros([size.classes]))
    labels = tf.constant(rng.integers(0, size.classes, (size.batch, 1)))
    inputs = tf.constant(rng.standard_normal((size.batch, size.dim), np.float32))
    candidates = tf.random.log_uniform_candidate_sampler(
        labels, 1, size.sampled, unique=True, range_max=size.classes, seed=1
    )
    functions = {
        "softmax": tsc.nn.sampled_softmax_loss,
        "nce": tsc.nn.nce_loss,
        "tapas": tsc.nn.rank_sampled_softmax_loss,
        "full softmax": tsc.nn.full_softmax_loss,
    }
    options: dict[str, Any] = {}
    if kind != "full softmax":
        options = {"num_sampled": size.sampled, "num_classes": size.classes}
    if kind == "tapas":
        options["num_resampled"] = size.sampled // 4

    @tf.function
    def step(labels: tf.Tensor, inputs: tf.Tensor, *values: tf.Tensor) -> Any:
        given = {"sampled_values": values} if values else {}
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            losses = functions[kind](weights, biases, labels, inputs, **options, **given)
            mean = tf.reduce_mean(losses)
        return mean, tape.gradient(mean, [weights, biases, inputs])

    values = () if drawn or kind == "full softmax" else tuple(candidates)
    arguments = (labels, inputs, *values)
    return Step(lambda: step(*arguments), lambda: step.get_concrete_function(*arguments).graph)


def _fit(size: Size) -> Step:
    keras = tf.keras
    inputs = keras.Input([size.dim])
    head = tsc.keras.layers.SampledDense(size.classes, kernel_initializer="zeros")
    model = keras.Model(inputs, head(keras.layers.Dense(size.dim)(inputs)))
    loss = tsc.keras.losses.SampledSoftmax(size.sampled)
    model.compile(tsc.keras.optimizers.LazyAdam(1e-3), loss, jit_compile=False)
    rng = np.random.default_rng(0)
    x = tf.constant(rng.standard_normal((size.batch, size.dim), np.float32))
    y = tf.constant(rng.integers(0, size.classes, (size.batch, 1)))
    batches = tf.data.Dataset.from_tensors((x, y)).repeat()
    model.train_on_batch(x, y)  # Makes the optimizer's variables.
    model.make_train_function()
    iterator = iter(batches)
    traced = tf.function(model.train_step)
    return Step(
        lambda: model.train_function(iterator),
        lambda: traced.get_concrete_function((x, y)).graph,
    )


def count_ops(graph: Any) -> int:
    """Counts the ops of a graph and of its functions, before TensorFlow optimizes it."""
    definition = graph.as_graph_def()
    bodies = {each.signature.name: each.node_def for each in definition.library.function}

    def called(node: Any) -> list[str]:
        values = node.attr.values()
        names = [value.func.name for value in values if value.HasField("func")]
        return names + [each.name for value in values for each in value.list.func]

    def count(nodes: Any) -> int:
        own = sum(node.op not in _PASSIVE | _CALLS for node in nodes)
        return own + sum(count(bodies[name]) for node in nodes for name in called(node))

    return count(definition.node)


def count_bytes(step: Step, runs: int) -> dict[str, float]:
    """Returns the bytes that a step takes from the heap: the total and the peak."""
    counter = ctypes.CDLL(None)  # The preloaded allocations.c.
    for name in ("allocated_in_all", "allocated_now", "allocated_at_most"):
        getattr(counter, name).restype = ctypes.c_longlong
    in_all, at_once = [], []
    for _ in range(runs):
        before, held = counter.allocated_in_all(), counter.allocated_now()
        counter.forget_the_most()
        step.run()
        in_all.append(counter.allocated_in_all() - before)
        at_once.append(counter.allocated_at_most() - held)
    return {"bytes": float(np.median(in_all)), "bytes at once": float(np.median(at_once))}


def seconds(step: Step, runs: int) -> float:
    """Returns the median time of a few steps in a row."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        step.run()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:] or times))  # The first finds the caches cold.


class Requests:
    """Answers requests; makes each step once."""

    def __init__(self, size: Size):
        self._size = size
        self._steps: dict[str, Step] = {}

    def answer(self, what: str, step: str = "", runs: int = 1) -> Any:
        """Answers one request: "where", "ops", "bytes" or "seconds"."""
        if what == "where":
            return tsc.__file__
        made = self._step(step)
        if what == "ops":
            return count_ops(made.graph())
        return {"bytes": count_bytes, "seconds": seconds}[what](made, runs)

    def _step(self, name: str) -> Step:
        if name not in self._steps:
            self._steps[name] = make(name, self._size)
            for _ in range(_WARM_UP):
                self._steps[name].run()
        return self._steps[name]


def main() -> None:
    """Answers until the input ends."""
    requests, answers = Requests(SIZES[sys.argv[1]]), sys.stdout
    sys.stdout = sys.stderr  # Nothing else may come between the answers.
    for line in sys.stdin:
        try:
            answer = {"answer": requests.answer(**json.loads(line))}
        except Exception as error:  # An older checkout may lack a function, for example.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
