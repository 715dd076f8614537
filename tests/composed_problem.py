"""A small problem for losses of all terms, and how to run a loss on it."""

import functools

import tensorflow as tf

from tests.problems import assert_close, dense, problem

B, T = 4, 2


@functools.lru_cache
def case(seed=0):
    """A small problem with hits, a repeated candidate and a label that is no candidate."""
    p = problem(C=9, D=3, B=B, T=T, S=6, seed=seed, repeated=True)
    p.sampled[:3] = [2, 2, 5]
    p.labels[:, 0] = [2, 5, 8, 1]
    p.labels[:, 1] = [5, 3, 2, 4]
    p.true_count[2] = p.true_count[2, ::-1]
    return p


def got(loss, p, dtype="float64", mode="eager", **options):
    """Returns the same from the package."""

    def step():
        watched = [tf.cast(a, dtype) for a in (p.weights, p.biases, p.inputs)]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            weights, biases, inputs = watched
            values = loss(weights, biases, p.labels, inputs, **p.arguments, **options)
            total = tf.reduce_sum(tf.cast(values, tf.float64) * p.upstream)
        return values, [tf.convert_to_tensor(g) for g in tape.gradient(total, watched)]

    if mode != "eager":
        step = tf.function(step, jit_compile=mode == "xla", autograph=False)
    values, gradients = step()
    return tf.cast(values, tf.float64).numpy(), [dense(g) for g in gradients]


def assert_same(result, expected, rtol):
    assert_close(result[0], expected[0], rtol)
    for gradient, want in zip(result[1], expected[1]):
        assert_close(gradient, want, rtol)
