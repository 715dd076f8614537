"""A model_fn as an estimator takes it, and a loop that plays the estimator, for TensorFlow 1.x."""

from __future__ import division, print_function

import collections

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.contrib import nn as contrib_nn

tf.disable_v2_behavior()

EstimatorSpec = collections.namedtuple("EstimatorSpec", "mode predictions loss train_op")
TRAIN, EVAL = "train", "eval"
PARAMS = {"n_classes": 350, "dim": 18, "features": 12, "n_sampled": 30, "rate": 0.2}
STEPS = 50


def model_fn(features, labels, mode, params):
    n_classes, dim = params["n_classes"], params["dim"]

    def get(name, *shape):
        random = np.random.RandomState(len(name))
        value = (0.6 * random.random_sample(shape) - 0.3).astype(np.float32)
        return tf.get_variable(name, initializer=tf.constant(value))

    hidden = tf.nn.relu(tf.matmul(features["x"], get("hidden", params["features"], dim)))
    # As they would lie on four parameter servers: class c in piece c % 4.
    sizes = [len(range(i, n_classes, 4)) for i in range(4)]
    weights = [get("weights_%s" % ("x" * i), size, dim) for i, size in enumerate(sizes)]
    biases = [get("biases_%s" % ("x" * i), size) for i, size in enumerate(sizes)]
    predictions = loss = train_op = None
    if mode == TRAIN:
        candidates = tf.nn.uniform_candidate_sampler(
            labels, 1, params["n_sampled"], True, n_classes, seed=29)
        losses = contrib_nn.sampled_sparse_softmax_loss(
            weights, biases, labels, hidden, params["n_sampled"], n_classes,
            sampled_values=candidates)
        loss = tf.reduce_mean(losses)
        optimizer = tf.train.AdagradOptimizer(params["rate"])
        train_op = optimizer.minimize(loss, global_step=tf.train.get_or_create_global_step())
    else:
        ids = tf.range(n_classes)
        every_weight = tf.nn.embedding_lookup(weights, ids)
        every_bias = tf.nn.embedding_lookup(biases, ids)
        logits = tf.nn.bias_add(tf.matmul(hidden, every_weight, transpose_b=True), every_bias)
        predictions = {"classes": tf.argmax(logits, 1)}
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.squeeze(labels, [1]), logits=logits))
    return EstimatorSpec(mode, predictions, loss, train_op)


def input_fn(seed):
    random = np.random.RandomState(seed)
    mixing = random.random_sample((PARAMS["features"], 1))
    while True:
        x = random.random_sample((20, PARAMS["features"])) - 0.5
        y = np.floor(abs(x.dot(mixing)) * 200).astype(np.int64) % PARAMS["n_classes"]
        yield x.astype(np.float32), y


def main():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, PARAMS["features"]])
        y = tf.placeholder(tf.int64, [None, 1])
        with tf.variable_scope("model"):
            train = model_fn({"x": x}, y, TRAIN, PARAMS)
        with tf.variable_scope("model", reuse=True):
            evaluation = model_fn({"x": x}, y, EVAL, PARAMS)
        data, held_out = input_fn(31), input_fn(37)
        with tf.train.MonitoredTrainingSession() as session:
            for step in range(STEPS):
                features, labels = next(data)
                loss, _ = session.run([train.loss, train.train_op], {x: features, y: labels})
                print("loss", step, "%.9g" % loss)
            features, labels = next(held_out)
            print("full", 0, "%.9g" % session.run(evaluation.loss, {x: features, y: labels}))


if __name__ == "__main__":
    main()
