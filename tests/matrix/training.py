"""Trains with each loss as a user would, and fails unless the installed C++ op was used.

An interpreter with the wheel runs it: `python training.py`. Prints as JSON what it ran on.
"""

import hashlib
import importlib.metadata
import json
import pathlib
import sys

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.backends import library

CLASSES, DIM, BATCH, SAMPLED, STEPS = 2000, 16, 64, 256, 60
FUSED = {"SampledCompat>Plan", "SampledCompat>SampledLoss", "SampledCompat>SampledLossGrad"}


def rank_loss(*arguments, **options):
    return tsc.nn.rank_sampled_softmax_loss(*arguments[:5], SAMPLED // 2, CLASSES, **options)


LOSSES = {
    "softmax": tsc.nn.sampled_softmax_loss,
    "nce": tsc.nn.nce_loss,
    "sparse": tsc.nn.sampled_sparse_softmax_loss,
    "rank": rank_loss,
}


def adagrad(variable, squares, gradient, rate=0.1):
    """Makes an update with TensorFlow's kernel; it is sparse for a table, with each id once."""
    where = {"var": variable.handle, "accum": squares.handle, "lr": rate}
    if isinstance(gradient, tf.IndexedSlices):
        grad, indices = gradient.values, gradient.indices
        tf.raw_ops.ResourceSparseApplyAdagrad(**where, grad=grad, indices=indices)
    else:
        tf.raw_ops.ResourceApplyAdagrad(**where, grad=gradient)


def train(loss, implementation):
    """Returns the loss of each step, and the types of the ops that computed it."""
    numbers = np.random.RandomState(0)
    weights, biases, hidden = (
        tf.Variable(0.1 * numbers.randn(*shape), dtype=tf.float32)
        for shape in ([CLASSES, DIM], [CLASSES], [DIM, DIM])
    )
    features = numbers.randn(CLASSES, DIM).astype(np.float32)
    variables = [weights, biases, hidden]
    sums = [tf.Variable(tf.fill(v.shape, 0.1)) for v in variables]

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.int64), tf.TensorSpec([None, DIM])])
    def step(labels, inputs):
        with tf.GradientTape() as tape:
            hot = tf.matmul(inputs, hidden)
            options = {"seed": 7, "implementation": implementation}
            each = LOSSES[loss](weights, biases, labels, hot, SAMPLED, CLASSES, **options)
            total = tf.reduce_mean(each)
        gradients = tape.gradient(total, variables)
        for variable, squares, gradient in zip(variables, sums, gradients):
            adagrad(variable, squares, gradient)
        return total

    losses = []
    for _ in range(STEPS):
        labels = numbers.randint(0, 50, [BATCH, 1])
        losses.append(float(step(labels.astype(np.int64), features[labels[:, 0]])))
    return losses, {op.type for op in step.get_concrete_function().graph.get_operations()}


def main():
    installed = pathlib.Path(tsc.__file__).resolve()
    assert pathlib.Path(sys.prefix).resolve() in installed.parents, f"{installed}: not the wheel's"
    for loss in LOSSES:
        losses, types = train(loss, None)
        assert types >= FUSED, f"{loss}: the fused path was not taken: {sorted(types)}"
        assert np.mean(losses[-5:]) < 0.8 * losses[0], f"{loss} does not learn: {losses}"
        stock, types = train(loss, "composite")
        assert not any("SampledCompat" in t for t in types), f"{loss}: {sorted(types)}"
        np.testing.assert_allclose(losses, stock, rtol=1e-4, err_msg=loss)
    path = library.load().path
    print(
        json.dumps(
            {
                "NumPy": np.__version__,
                "Keras": importlib.metadata.version("keras"),
                "library": f"{path.stem.rpartition('_')[2]} {digest(path)}",
            }
        )
    )


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


if __name__ == "__main__":
    main()
