"""Skip-gram word vectors with noise-contrastive estimation, for TensorFlow 1.x."""

from __future__ import division, print_function

import collections

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

VOCABULARY, DIM, BATCH, NEGATIVES, SKIPS, WINDOW, STEPS = 400, 24, 32, 16, 2, 2, 50


def read_words(random):
    """Returns word ids as a text would have them: the lower the id, the more frequent."""
    uniform = random.random_sample(4000)
    return np.minimum(VOCABULARY ** uniform - 1, VOCABULARY - 1).astype(np.int64)


def batches(words, random):
    """Yields (centre words, words beside them)."""
    span = 2 * WINDOW + 1
    window = collections.deque(words[:span], maxlen=span)
    position = span
    while True:
        centres = np.zeros(BATCH, np.int64)
        contexts = np.zeros((BATCH, 1), np.int64)
        for i in range(BATCH // SKIPS):
            others = [j for j in range(span) if j != WINDOW]
            for k in range(SKIPS):
                chosen = others.pop(random.randint(len(others)))
                centres[i * SKIPS + k] = window[WINDOW]
                contexts[i * SKIPS + k, 0] = window[chosen]
            window.append(words[position % len(words)])
            position += 1
        yield centres, contexts


def main():
    random = np.random.RandomState(1)
    data = batches(read_words(random), random)
    with tf.Graph().as_default(), tf.Session() as session:
        train_inputs = tf.placeholder(tf.int64, shape=[BATCH])
        train_labels = tf.placeholder(tf.int64, shape=[BATCH, 1])
        start = (2 * random.random_sample((VOCABULARY, DIM)) - 1).astype(np.float32)
        embeddings = tf.Variable(start, name="embeddings")
        embed = tf.nn.embedding_lookup(embeddings, train_inputs)
        start = (random.random_sample((VOCABULARY, DIM)) - 0.5).astype(np.float32)
        nce_weights = tf.Variable(start / np.float32(np.sqrt(DIM)), name="nce_weights")
        nce_biases = tf.Variable(tf.zeros([VOCABULARY]), name="nce_biases")
        negatives = tf.nn.log_uniform_candidate_sampler(
            train_labels, 1, NEGATIVES, True, VOCABULARY, seed=7)
        loss = tf.reduce_mean(
            tf.nn.nce_loss(weights=nce_weights,
                           biases=nce_biases,
                           labels=train_labels,
                           inputs=embed,
                           num_sampled=NEGATIVES,
                           num_classes=VOCABULARY,
                           sampled_values=negatives))
        optimizer = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
        norm = tf.sqrt(tf.reduce_sum(tf.square(embeddings), 1, keep_dims=True))
        normalized = embeddings / norm
        similarity = tf.matmul(normalized[:4], normalized, transpose_b=True)
        session.run(tf.global_variables_initializer())
        for step in range(STEPS):
            centres, contexts = next(data)
            feeds = {train_inputs: centres, train_labels: contexts}
            _, value = session.run([optimizer, loss], feeds)
            print("loss", step, "%.9g" % value)
        print("similarity", 0, "%.9g" % session.run(similarity).std())


if __name__ == "__main__":
    main()
