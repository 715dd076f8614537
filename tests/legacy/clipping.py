"""Runs a program that clips no gradients, with clipping; prints the norms too.

    python tests/legacy/clipping.py program.py

`tf.clip_by_global_norm` takes the norm of the entries of a sparse gradient. The norm equals
TensorFlow's only if the entries do: one for each occurrence of a class, and not one for each class.

Runs on every TensorFlow that the programs run on.
"""

from __future__ import absolute_import, division, print_function

import contextlib
import itertools
import os
import runpy
import sys

# The gradients of most steps exceed these. "ptb_lm" is not here: it clips by itself.
NORMS = {
    "model_fn": 0.2,
    "recommender": 0.2,
    "self_normalizing": 0.8,
    "seq2seq": 0.1,
    "seq2seq_0x": 0.1,
    "word2vec": 3.2,
    "word2vec_0x": 3.4,
}


def clipping_minimize(tf, clip_norm):
    """Returns a method `minimize` for optimizers. Each step prints the norm before clipping."""
    steps = itertools.count()

    def report(norm):
        print("global_norm", next(steps), "%.9g" % norm)
        return norm

    def minimize(optimizer, loss, global_step=None):
        gradients, variables = zip(*optimizer.compute_gradients(loss))
        clipped, norm = tf.clip_by_global_norm(gradients, clip_norm)
        with tf.control_dependencies([tf.py_func(report, [norm], tf.float32)]):
            return optimizer.apply_gradients(zip(clipped, variables), global_step=global_step)

    return minimize


@contextlib.contextmanager
def clipped(name):
    """Makes the optimizers clip by the norm of the program `name`."""
    try:
        import tensorflow.compat.v1 as tf
    except ImportError:
        import tensorflow as tf
    original = tf.train.Optimizer.minimize
    tf.train.Optimizer.minimize = clipping_minimize(tf, NORMS[name])
    try:
        yield
    finally:
        tf.train.Optimizer.minimize = original


def main(path):
    with clipped(os.path.splitext(os.path.basename(path))[0]):
        runpy.run_path(path, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
