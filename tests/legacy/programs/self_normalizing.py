"""A self-normalizing classifier with what else tf.contrib.nn had, for TensorFlow 1.x."""

from __future__ import division, print_function

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.contrib import nn as contrib_nn

tf.disable_v2_behavior()

CLASSES, DIM, FEATURES, BATCH, STEPS = 40, 24, 10, 16, 50


def main():
    random = np.random.RandomState(8)

    def variable(name, *shape):
        value = (random.random_sample(shape) - 0.5).astype(np.float32)
        return tf.get_variable(name, initializer=tf.constant(value))

    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, FEATURES])
        y = tf.placeholder(tf.int64, [None, 1])
        keep_prob = tf.placeholder(tf.float32, [])
        hidden = tf.nn.selu(tf.matmul(x, variable("hidden", FEATURES, DIM)))
        hidden = contrib_nn.alpha_dropout(hidden, keep_prob, seed=41)
        signal = contrib_nn.conv1d_transpose(
            tf.expand_dims(hidden, 2), variable("filters", 3, 2, 1), [BATCH, 2 * DIM, 2], 2)
        smoothness = variable("smoothness") + 1.0
        hidden = contrib_nn.scaled_softplus(tf.reduce_max(signal, 2), smoothness, clip=0.9)
        weights, biases = variable("weights", CLASSES, 2 * DIM), variable("biases", CLASSES)
        logits = tf.matmul(hidden, weights, transpose_b=True) + biases
        sampled = contrib_nn.sampled_sparse_softmax_loss(
            weights, biases, y, hidden, 12, CLASSES,
            tf.nn.log_uniform_candidate_sampler(y, 1, 12, True, CLASSES, seed=43))
        one_hot = tf.one_hot(y[:, 0], CLASSES)
        exact = contrib_nn.deprecated_flipped_softmax_cross_entropy_with_logits(logits, one_hot)
        sparse = contrib_nn.deprecated_flipped_sparse_softmax_cross_entropy_with_logits(
            logits, y[:, 0])
        sigmoid = contrib_nn.deprecated_flipped_sigmoid_cross_entropy_with_logits(logits, one_hot)
        fifth = contrib_nn.nth_element(logits, 4, reverse=True)
        total = tf.reduce_mean(sampled) + 0.1 * tf.reduce_mean(exact) + tf.reduce_mean(sigmoid)
        total = total + 0.01 * tf.reduce_mean(fifth)
        train = tf.train.MomentumOptimizer(0.05, 0.9).minimize(total)
        session.run(tf.global_variables_initializer())
        for step in range(STEPS):
            features = (random.random_sample((BATCH, FEATURES)) - 0.5).astype(np.float32)
            labels = np.floor(CLASSES * random.random_sample((BATCH, 1)) ** 2).astype(np.int64)
            feeds = {x: features, y: labels, keep_prob: 0.8}
            other, top = session.run([sparse, fifth], feeds)
            loss, _ = session.run([total, train], feeds)
            print("loss", step, "%.9g" % loss)
            print("full", step, "%.9g" % other.mean())
            print("fifth", step, "%.9g" % np.square(top).mean())


if __name__ == "__main__":
    main()
