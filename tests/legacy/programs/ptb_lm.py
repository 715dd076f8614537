"""A recurrent language model after the PTB tutorial's manner, for TensorFlow 1.x.

Trains with a sampled softmax and clipped gradients, and evaluates with the full one.
"""

from __future__ import division, print_function

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class Config(object):
    vocab_size = 500
    hidden_size = 24
    num_steps = 6
    batch_size = 8
    num_sampled = 40
    max_grad_norm = 1
    learning_rate = 1.0
    lr_decay = 0.8
    epochs = 2
    epoch_size = 25


def producer(config, random):
    """Yields (x, y), each [batch_size, num_steps]: the words, and the words after them."""
    length = config.epoch_size * config.num_steps + 1
    uniform = random.random_sample((config.batch_size, length))
    text = np.minimum(config.vocab_size ** uniform - 1, config.vocab_size - 1).astype(np.int32)
    for i in range(config.epoch_size):
        start = i * config.num_steps
        end = start + config.num_steps
        yield text[:, start:end], text[:, start + 1:end + 1]


class PTBModel(object):
    def __init__(self, config, random):
        size, vocab = config.hidden_size, config.vocab_size

        def variable(name, *shape):
            value = (0.2 * random.random_sample(shape) - 0.1).astype(np.float32)
            return tf.get_variable(name, initializer=tf.constant(value))

        self.x = tf.placeholder(tf.int32, [config.batch_size, config.num_steps])
        self.y = tf.placeholder(tf.int32, [config.batch_size, config.num_steps])
        embedding = variable("embedding", vocab, size)
        kernel = variable("kernel", 2 * size, 4 * size)
        inputs = tf.nn.embedding_lookup(embedding, self.x)
        self.initial = [tf.zeros([config.batch_size, size])] * 2
        c, h = self.initial
        outputs = []
        for step in range(config.num_steps):
            gates = tf.matmul(tf.concat([inputs[:, step, :], h], 1), kernel)
            i, j, f, o = tf.split(gates, 4, 1)
            c = c * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
            h = tf.tanh(c) * tf.sigmoid(o)
            outputs.append(h)
        self.final = [c, h]
        output = tf.reshape(tf.stack(outputs, 1), [-1, size])
        softmax_w = variable("softmax_w", vocab, size)
        softmax_b = variable("softmax_b", vocab)
        labels = tf.reshape(self.y, [-1, 1])
        loss = tf.nn.sampled_softmax_loss(
            softmax_w, softmax_b, labels, output, config.num_sampled, vocab, seed=13)
        self.cost = tf.reduce_sum(loss) / config.batch_size
        logits = tf.matmul(output, softmax_w, transpose_b=True) + softmax_b
        full = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.reshape(self.y, [-1]), logits=logits)
        self.full_cost = tf.reduce_sum(full) / config.batch_size
        self.lr = tf.Variable(0.0, trainable=False)
        tvars = tf.trainable_variables()
        grads, self.norm = tf.clip_by_global_norm(
            tf.gradients(self.cost, tvars), config.max_grad_norm)
        optimizer = tf.train.MomentumOptimizer(self.lr, 0.5)
        self.train_op = optimizer.apply_gradients(
            zip(grads, tvars), global_step=tf.train.get_or_create_global_step())
        self.new_lr = tf.placeholder(tf.float32, shape=[])
        self.lr_update = tf.assign(self.lr, self.new_lr)


def main():
    config, random, step = Config(), np.random.RandomState(3), 0
    with tf.Graph().as_default(), tf.Session() as session:
        model = PTBModel(config, random)
        session.run(tf.global_variables_initializer())
        for epoch in range(config.epochs):
            rate = config.learning_rate * config.lr_decay ** epoch
            session.run(model.lr_update, {model.new_lr: rate})
            state = session.run(model.initial)
            for x, y in producer(config, random):
                feeds = {model.x: x, model.y: y}
                feeds.update(zip(model.initial, state))
                full = session.run(model.full_cost, feeds)
                fetches = [model.cost, model.final, model.norm, model.train_op]
                cost, state, norm, _ = session.run(fetches, feeds)
                print("loss", step, "%.9g" % cost)
                print("full", step, "%.9g" % full)
                print("global_norm", step, "%.9g" % norm)
                step += 1


if __name__ == "__main__":
    main()
