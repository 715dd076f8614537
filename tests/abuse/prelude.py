"""What the programs of `process.run` have: problems, and computations that take long or little."""

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem

P = problem(C=3000, D=64, B=400, T=2, S=2000, seed=1)
SMALL = problem(C=200, D=16, B=32, T=2, S=64, seed=2)


def loss_of(p, implementation="fused"):
    """Returns a loss and its gradient by the inputs."""
    x = tf.constant(p.inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tsc.nn.sampled_softmax_loss(
            p.weights, p.biases, p.labels, x, implementation=implementation, **p.arguments
        )
    return loss.numpy(), tape.gradient(loss, x).numpy()


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other))


def many(times):
    """Computes a loss so often in one call, without Python in between."""
    return _many(tf.constant(times))  # A tensor, so that the second call traces nothing.


@tf.function
def _many(times):
    total = tf.zeros([400])
    for _ in tf.range(times):
        total += tsc.nn.sampled_softmax_loss(
            P.weights, P.biases, P.labels, P.inputs, implementation="fused", **P.arguments
        )
    return total
