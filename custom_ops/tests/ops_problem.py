"""A problem of the sampled losses: its arrays, the ops' results, and NumPy's results in float64."""

import numpy as np
import tensorflow as tf

KINDS = ("softmax", "sigmoid")
CLASSES = 1000


class Problem:
    """Random inputs of both losses, in float64."""

    def __init__(self, batch=37, num_true=2, num_sampled=50, dim=20, unique_samples=True, seed=0):
        rng = np.random.default_rng(seed)
        self.num_true, self.num_sampled = num_true, num_sampled
        self.weights = rng.normal(size=(CLASSES, dim), scale=0.4)
        self.biases = rng.normal(size=CLASSES)
        self.inputs = rng.normal(size=(batch, dim))
        self.labels = rng.integers(0, CLASSES, size=(batch, num_true))
        self.sampled = rng.choice(CLASSES, num_sampled, replace=not unique_samples)
        self.labels[0, 0] = self.sampled[0]
        self.true_count = rng.uniform(1e-3, 1, size=(batch, num_true))
        self.sampled_count = rng.uniform(1e-3, 1, size=num_sampled)
        self.upstream = rng.normal(size=batch)

    def plan(self, ops, hits=True):
        return ops.sampled_compat_plan(self.labels, self.sampled, find_hits=hits)

    def arguments(self, ops, plan, dtype=tf.float32, rows_dtype=None):
        compute = tf.float64 if dtype == tf.float64 else tf.float32
        ids = plan.unique_ids.numpy()
        return [
            tf.cast(self.inputs, dtype),
            tf.cast(self.weights[ids], rows_dtype or dtype),
            tf.cast(self.biases[ids], compute),
            plan.sampled_positions,
            plan.true_positions,
            plan.hits,
            tf.cast(-np.log(self.true_count), compute),
            tf.cast(-np.log(self.sampled_count), compute),
        ]

    def run(self, ops, kind, hits=True, dtype=tf.float32, rows_dtype=None, keep=True):
        """Returns the loss and its gradients under `upstream`, as NumPy arrays."""
        plan = self.plan(ops, hits)
        arguments = self.arguments(ops, plan, dtype, rows_dtype)
        out = ops.sampled_compat_sampled_loss(*arguments, kind=kind, keep=keep)
        upstream = tf.cast(self.upstream, out.loss.dtype)
        grads = ops.sampled_compat_sampled_loss_grad(
            *arguments, out.normalizer, out.kept, upstream, kind=kind
        )
        return plan, [out.loss.numpy(), *(np.asarray(g) for g in grads)]

    def naive(self, kind, hits=True):
        """Computes loss and gradients for inputs, weights, biases row by row in float64."""
        losses, d_inputs = [], np.zeros_like(self.inputs)
        d_weights, d_biases = np.zeros_like(self.weights), np.zeros_like(self.biases)
        last = {int(c): s for s, c in enumerate(self.sampled)}
        for b, x in enumerate(self.inputs):
            left_out = {last[int(c)] for c in self.labels[b] if int(c) in last} if hits else set()
            keep = [s for s in range(self.num_sampled) if s not in left_out]
            ids = np.concatenate([self.labels[b], self.sampled[keep]])
            q = np.concatenate([self.true_count[b], self.sampled_count[keep]])
            logits = self.weights[ids] @ x + self.biases[ids] - np.log(q)
            target = np.where(np.arange(len(ids)) < self.num_true, 1 / self.num_true, 0.0)
            if kind == "softmax":
                log_sum = np.log(np.sum(np.exp(logits - logits.max()))) + logits.max()
                losses.append(log_sum - logits @ target)
                g = np.exp(logits - log_sum) - target
            else:
                losses.append(np.sum(np.logaddexp(0, logits) - logits * target))
                g = 1 / (1 + np.exp(-logits)) - target
            g = g * self.upstream[b]
            d_inputs[b] = g @ self.weights[ids]
            np.add.at(d_weights, ids, g[:, None] * x)
            np.add.at(d_biases, ids, g)
        return [np.array(losses), d_inputs, d_weights, d_biases]


def assert_close(got, wanted, rtol):
    """Asserts equality within rtol of the array's largest value, or of 0.1 if that is smaller."""
    got = np.asarray(got, np.float64)
    error = np.abs(got - wanted).max(initial=0)
    assert error <= rtol * np.abs(wanted).max(initial=0.1), error
