"""An example: the model of the demo in a custom training loop, of variables and `tsc.nn` only.

    python -m tf_sampled_compat.demo.loop [the demo's options]

It has the text, initial values, batches and candidates of the demo's `SampledSoftmax`, so its
losses are the same, step by step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.demo import model, options, training
from tf_sampled_compat.demo.corpus import Corpus
from tf_sampled_compat.demo.plan import Plan


def train(corpus: Corpus, plan: Plan) -> Iterator[float]:
    """Trains, and yields the mean loss of the batch at each step, in nats."""
    tf.random.set_seed(plan.seed)
    variables = [
        tf.Variable(values)
        for values in model.initial_values(
            corpus.counts, width=plan.width, dim=plan.dim, seed=plan.seed
        )
    ]
    embedding, kernel, offset, weights, biases = variables
    optimizer = tsc.keras.optimizers.LazyAdagrad(plan.learning_rate)
    optimizer.build(variables)

    @tf.function
    def step(contexts: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            # Looked up, not read whole: the gradients of both tables hold only the rows that occur.
            rows = tf.nn.embedding_lookup(embedding, contexts)
            flat = tf.reshape(rows, [-1, plan.width * plan.dim])
            hidden = tf.tanh(tf.matmul(flat, kernel) + offset)
            losses = tsc.nn.sampled_softmax_loss(
                weights,
                biases,
                labels,
                hidden,
                num_sampled=plan.num_sampled,
                num_classes=corpus.num_classes,
                seed=plan.seed,
            )
            loss = tf.reduce_mean(losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    for contexts, labels in training.batches(corpus, plan):
        yield float(step(contexts, labels))


def main(arguments: Sequence[str]) -> None:
    """Trains by the options of the demo, and prints ten of the losses."""
    parser = options.parser("python -m tf_sampled_compat.demo.loop")
    chosen = parser.parse_args(arguments)
    corpus = options.read(chosen, parser)
    plan = options.plan(chosen, parser, corpus.num_classes)
    for number, loss in enumerate(train(corpus, plan), start=1):
        if number % max(1, plan.steps // 10) == 0:
            print(f"step {number:,}: {loss:.3f} nats")


if __name__ == "__main__":
    main(sys.argv[1:])
