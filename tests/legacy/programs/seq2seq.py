"""Sequence to sequence with an output projection and a sampled loss, for TensorFlow 1.x."""

from __future__ import division, print_function

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

VOCAB, SIZE, BATCH, LENGTH, NUM_SAMPLES, STEPS = 240, 16, 10, 4, 24, 50


def cell(inputs, state, kernel, recurrent):
    return tf.tanh(tf.matmul(inputs, kernel) + tf.matmul(state, recurrent))


def sequence_loss(logits, targets, weights, softmax_loss_function):
    """The weighted mean over time and batch, with the loss called as (labels=, logits=)."""
    total = 0.0
    for logit, target, weight in zip(logits, targets, weights):
        total = total + tf.reduce_sum(softmax_loss_function(labels=target, logits=logit) * weight)
    return total / float(LENGTH * BATCH)


class Seq2SeqModel(object):
    def __init__(self, random):
        def variable(*shape):
            return tf.Variable((0.4 * random.random_sample(shape) - 0.2).astype(np.float32))

        w_t = variable(VOCAB, SIZE)
        w = tf.transpose(w_t)
        b = variable(VOCAB)
        output_projection = (w, b)

        def sampled_loss(labels, logits):
            labels = tf.reshape(labels, [-1, 1])
            # Computed in 32 bits, whatever the model is in.
            local_w_t = tf.cast(w_t, tf.float32)
            local_b = tf.cast(b, tf.float32)
            local_inputs = tf.cast(logits, tf.float32)
            return tf.cast(
                tf.nn.sampled_softmax_loss(
                    weights=local_w_t,
                    biases=local_b,
                    labels=labels,
                    inputs=local_inputs,
                    num_sampled=NUM_SAMPLES,
                    num_classes=VOCAB,
                    seed=17),
                tf.float32)

        self.encoder = [tf.placeholder(tf.int64, [None]) for _ in range(LENGTH)]
        self.decoder = [tf.placeholder(tf.int64, [None]) for _ in range(LENGTH + 1)]
        self.weights = [tf.placeholder(tf.float32, [None]) for _ in range(LENGTH)]
        embedding = variable(VOCAB, SIZE)
        kernel, recurrent = variable(SIZE, SIZE), variable(SIZE, SIZE)
        state = tf.zeros_like(tf.nn.embedding_lookup(embedding, self.encoder[0]))
        for word in self.encoder:
            state = cell(tf.nn.embedding_lookup(embedding, word), state, kernel, recurrent)
        outputs = []
        for word in self.decoder[:-1]:
            state = cell(tf.nn.embedding_lookup(embedding, word), state, kernel, recurrent)
            outputs.append(state)
        self.loss = sequence_loss(outputs, self.decoder[1:], self.weights, sampled_loss)
        self.logits = [tf.matmul(o, output_projection[0]) + output_projection[1] for o in outputs]
        self.update = tf.train.AdagradOptimizer(0.3).minimize(self.loss)


def main():
    random = np.random.RandomState(5)
    with tf.Graph().as_default(), tf.Session() as session:
        model = Seq2SeqModel(random)
        session.run(tf.global_variables_initializer())
        for step in range(STEPS):
            source = np.floor(VOCAB * random.random_sample((LENGTH, BATCH)) ** 2).astype(np.int64)
            feeds = dict(zip(model.encoder, source))
            feeds.update(zip(model.decoder[1:], source[::-1]))
            feeds[model.decoder[0]] = np.zeros(BATCH, np.int64)
            ones = np.ones((LENGTH, BATCH), np.float32)
            ones[-1, ::3] = 0
            feeds.update(zip(model.weights, ones))
            loss, _ = session.run([model.loss, model.update], feeds)
            print("loss", step, "%.9g" % loss)
        print("logits", 0, "%.9g" % np.std(session.run(model.logits[-1], feeds)))


if __name__ == "__main__":
    main()
