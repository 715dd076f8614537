"""Random problems, and how to run a loss with its gradients on them; shared with the benches."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Problem(NamedTuple):
    """The arrays of one call; B is the batch size, T num_true, S num_sampled, D dim."""

    weights: np.ndarray
    biases: np.ndarray
    labels: np.ndarray
    inputs: np.ndarray
    sampled: np.ndarray
    true_count: np.ndarray
    sampled_count: np.ndarray
    upstream: np.ndarray

    @property
    def arguments(self):
        """Returns the arguments of a loss that are not tensors."""
        return {
            "num_sampled": len(self.sampled),
            "num_classes": len(self.weights),
            "num_true": self.labels.shape[1],
            "sampled_values": (self.sampled, self.true_count, self.sampled_count),
        }


def problem(C=50, D=8, B=6, T=1, S=10, seed=0, scale=1.0, repeated=False):
    """Makes a problem in which accidental hits occur."""
    r = np.random.RandomState(seed)
    f = lambda *shape: r.randn(*shape).astype(np.float32)  # noqa: E731
    sampled = r.choice(C, S, replace=repeated).astype(np.int64)
    labels = r.randint(0, C, (B, T))
    labels[0, 0] = sampled[-1]
    return Problem(
        weights=f(C, D) * scale,
        biases=f(C),
        labels=labels.astype(np.int64),
        inputs=f(B, D),
        sampled=sampled,
        true_count=r.uniform(1e-3, 1, (B, T)).astype(np.float32),
        sampled_count=r.uniform(1e-3, 1, S).astype(np.float32),
        upstream=f(B),
    )


def loss_and_gradients(fn, weights, biases, labels, inputs, upstream, watched, **arguments):
    """Returns the loss and the gradients of sum(loss · upstream) for the watched tensors."""
    with tf.GradientTape() as tape:
        tape.watch([t for t in tf.nest.flatten(watched) if not hasattr(t, "handle")])
        loss = fn(weights=weights, biases=biases, labels=labels, inputs=inputs, **arguments)
        total = tf.reduce_sum(tf.cast(loss, tf.float64) * tf.cast(upstream, tf.float64))
    return loss, tape.gradient(total, watched)


def dense(gradient):
    """Returns a gradient as a NumPy array, summing an IndexedSlices in float64."""
    if isinstance(gradient, tf.IndexedSlices):
        shape = tuple(int(n) for n in gradient.dense_shape)
        values = tf.cast(gradient.values, tf.float64).numpy()
        total = np.zeros(shape)
        np.add.at(total, gradient.indices.numpy(), values)
        return total
    return tf.cast(gradient, tf.float64).numpy()


def assert_close(got, expected, rtol=2e-5):
    """Asserts equality within `rtol` of the expected array's largest value."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    assert got.shape == expected.shape, (got.shape, expected.shape)
    assert np.isfinite(got).all(), got
    worst = np.abs(got - expected).max(initial=0.0)
    bound = rtol * np.abs(expected).max(initial=0.0)
    assert worst <= bound, f"largest difference {worst:.3e}, allowed {bound:.3e}"
