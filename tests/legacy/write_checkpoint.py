"""Writes a small checkpoint with an old TensorFlow, the one that runs this file.

    python tests/legacy/write_checkpoint.py      # into tests/legacy/checkpoints/<version>

For test_reshard.py. The row of class c is [c, -c], whatever the layout, and its Adagrad slot 0.5;
a step with a tiny rate added 1 to the slot of class 3.
"""

from __future__ import absolute_import, division, print_function

import os

import numpy as np
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES, SHARDS = 11, 3


def rows(ids):
    return np.stack([ids, -ids], 1).astype(np.float32)


def main():
    folder = os.path.join(HERE, "checkpoints", tf.__version__)
    if os.path.exists(folder):
        raise SystemExit(folder + " is there, and is not written again")
    os.makedirs(folder)
    # Under "mod", TF 1's default, piece p of a partitioned variable holds the classes p, p + n, ...
    mod = [np.arange(p, CLASSES, SHARDS) for p in range(SHARDS)]
    with tf.Graph().as_default(), tf.Session() as session:
        partitioned = tf.get_variable(
            "scope/partitioned",
            [CLASSES, 2],
            partitioner=tf.fixed_size_partitioner(SHARDS),
            initializer=tf.zeros_initializer() if tf.__version__ > "1" else tf.zeros_initializer,
        )
        pieces = list(partitioned)
        listed = [tf.Variable(rows(ids), name="listed_%d" % p) for p, ids in enumerate(mod)]
        loss = 0.0
        for table in (partitioned, listed):
            loss += tf.reduce_sum(tf.nn.embedding_lookup(table, [3], "mod"))
        train = tf.train.AdagradOptimizer(1e-30, initial_accumulator_value=0.5).minimize(
            loss, global_step=tf.Variable(7, name="global_step", trainable=False)
        )
        session.run(tf.global_variables_initializer())
        for piece, ids in zip(pieces, mod):
            session.run(tf.assign(piece, rows(ids)))
        session.run(train)
        tf.train.Saver().save(session, os.path.join(folder, "model"), write_meta_graph=False)
        os.remove(os.path.join(folder, "checkpoint"))


if __name__ == "__main__":
    main()
