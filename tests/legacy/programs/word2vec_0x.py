"""Skip-gram word vectors with noise-contrastive estimation, as for TensorFlow 0.x."""

from __future__ import division, print_function

import numpy as np

try:
    import tensorflow.compat.v1 as tf
    tf.disable_v2_behavior()
except ImportError:
    import tensorflow as tf

VOCABULARY, DIM, BATCH, NEGATIVES, STEPS = 300, 20, 40, 12, 50


def batches(random):
    while True:
        uniform = random.random_sample((2, BATCH))
        words = np.minimum(VOCABULARY ** uniform - 1, VOCABULARY - 1).astype(np.int64)
        yield words[0], words[1].reshape([BATCH, 1])


def main():
    random = np.random.RandomState(2)
    data = batches(random)
    with tf.Graph().as_default(), tf.Session() as session:
        train_inputs = tf.placeholder(tf.int64, shape=[None])
        train_labels = tf.placeholder(tf.int64, shape=[None, 1])
        start = (2 * random.random_sample((VOCABULARY, DIM)) - 1).astype(np.float32)
        embeddings = tf.Variable(start)
        embed = tf.nn.embedding_lookup(embeddings, train_inputs)
        start = (0.2 * random.random_sample((VOCABULARY, DIM)) - 0.1).astype(np.float32)
        nce_weights = tf.Variable(start)
        nce_biases = tf.Variable(tf.zeros([VOCABULARY]))

        # The candidates are drawn here, so that a seed can be given.
        negatives = tf.nn.fixed_unigram_candidate_sampler(
            train_labels, 1, NEGATIVES, False, VOCABULARY, distortion=0.75,
            unigrams=[VOCABULARY // (i + 1) + 1 for i in range(VOCABULARY)], seed=11)
        # inputs, then labels.
        loss = tf.reduce_mean(tf.nn.nce_loss(
            nce_weights, nce_biases, embed, train_labels, NEGATIVES, VOCABULARY, 1, negatives))
        optimizer = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
        session.run(tf.global_variables_initializer())
        for step in range(STEPS):
            centres, contexts = next(data)
            feeds = {train_inputs: centres, train_labels: contexts}
            _, value = session.run([optimizer, loss], feed_dict=feeds)
            print("loss", step, "%.9g" % value)
        print("norm", 0, "%.9g" % np.linalg.norm(session.run(nce_weights)))


if __name__ == "__main__":
    main()
