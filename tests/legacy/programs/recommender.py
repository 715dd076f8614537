"""Candidate generation after a well-known video recommender's manner, for TensorFlow 1.x.

The class table is partitioned. First it trains with a sampled softmax, then with TAPAS.
"""

from __future__ import division, print_function

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.contrib.nn import rank_sampled_softmax_loss

tf.disable_v2_behavior()

VIDEOS, DIM, BATCH, HISTORY, SHARDS, STEPS = 403, 16, 24, 5, 4, 50


def from_array(array):
    """Initializes a variable, or each piece of a partitioned one, with its part of an array."""
    def initializer(shape, dtype=None, partition_info=None):
        offset = partition_info.var_offset if partition_info else [0] * len(shape)
        part = tuple(slice(start, start + size) for start, size in zip(offset, shape))
        return tf.constant(array[part], dtype)
    return initializer


def table(name, random, *shape):
    array = (0.4 * random.random_sample(shape) - 0.2).astype(np.float32)
    return tf.get_variable(name, shape, tf.float32, from_array(array),
                           partitioner=tf.fixed_size_partitioner(SHARDS))


def user_vector(watched, random):
    embeddings = table("watched", random, VIDEOS, DIM)
    average = tf.reduce_mean(tf.nn.embedding_lookup(embeddings, watched, "div"), 1)
    kernel = (0.6 * random.random_sample((DIM, DIM)) - 0.3).astype(np.float32)
    return tf.nn.relu(tf.matmul(average, tf.get_variable("kernel", initializer=kernel)))


def main():
    random = np.random.RandomState(6)
    with tf.Graph().as_default(), tf.Session() as session:
        watched = tf.placeholder(tf.int64, [None, HISTORY])
        next_video = tf.placeholder(tf.int64, [None, 1])
        users = user_vector(watched, random)
        weights = table("weights", random, VIDEOS, DIM)
        biases = table("biases", random, VIDEOS)
        sampled = tf.reduce_mean(tf.nn.sampled_softmax_loss(
            weights, biases, next_video, users, 40, VIDEOS, 1, None, True, "div", seed=19))
        candidates = tf.nn.learned_unigram_candidate_sampler(
            next_video, 1, 80, True, VIDEOS, seed=23)
        ranked = tf.reduce_mean(rank_sampled_softmax_loss(
            weights, biases, next_video, users, num_sampled=80, num_resampled=20,
            num_classes=VIDEOS, num_true=1, sampled_values=candidates,
            resampling_temperature=0.5, remove_accidental_hits=True, partition_strategy="div"))
        rate = tf.placeholder(tf.float32, [])
        optimizer = tf.train.AdamOptimizer(rate)
        updates = [optimizer.minimize(loss) for loss in (sampled, ranked)]
        logits = tf.matmul(users, tf.convert_to_tensor(weights), transpose_b=True)
        logits = logits + tf.convert_to_tensor(biases)
        full = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=next_video[:, 0], logits=logits))
        session.run(tf.global_variables_initializer())
        for step in range(STEPS):
            seen = VIDEOS * random.random_sample((BATCH, HISTORY + 1)) ** 2
            seen = np.floor(seen).astype(np.int64)
            feeds = {watched: seen[:, :-1], next_video: seen[:, -1:], rate: 0.01}
            second = int(step >= STEPS // 2)
            exact = session.run(full, feeds)
            loss, _ = session.run([(sampled, ranked)[second], updates[second]], feeds)
            print("loss", step, "%.9g" % loss)
            print("full", step, "%.9g" % exact)


if __name__ == "__main__":
    main()
