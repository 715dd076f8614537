"""Word vectors from Wikipedia by skip-gram, judged by held-out contexts and by analogies.

gensim ships some articles of Wikipedia and Google's analogies ("paris france berlin germany").
Every tenth article is held out. Each word is an example, and the words around it are its true
classes. The baselines are the frequencies of the words, and vectors of counts.
"""

import re
import sys

import common
import keras
import numpy as np
import serving
import training
import wikipedia
from gensim.corpora import wikicorpus
from gensim.test.utils import datapath

import tf_sampled_compat as tsc

REACH = 4  # words to either side
WIDTH = 96
NONE = -1


def read(quick, validate):
    """Returns the vocabulary, most frequent first, and the articles to train on and held out."""
    texts = [
        re.findall(r"[a-z]+", wikicorpus.filter_wiki(text).lower())
        for text in wikipedia.articles(quick).values()
    ]
    train, held_out = common.split(texts, validate)
    words, counts = np.unique(np.concatenate(train), return_counts=True)
    most = np.argsort(-counts, kind="stable")[: 2_000 if quick else 10_000]
    ids = {word: k for k, word in enumerate(words[most])}
    parts = [
        [np.array([ids[word] for word in text if word in ids], np.int32) for text in part]
        for part in (train, held_out)
    ]
    return list(ids), counts[most], *parts


def contexts(texts, keep):
    """Returns `[N]` words and the `[N, 2 * REACH]` words around each, NONE where there are none.

    Args:
      texts: The ids of each article.
      keep: `[classes]`: the probability of keeping a word, as word2vec thins out frequent words.
    """
    random = np.random.default_rng(0)
    centers, around = [], []
    for text in texts:
        text = text[random.random(len(text)) < keep[text]]
        padded = np.pad(text, REACH, constant_values=NONE)
        shown = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1)
        centers.append(text)
        around.append(np.delete(shown, REACH, axis=1))
    centers, around = np.concatenate(centers), np.concatenate(around)
    alone = (around == NONE).all(axis=1)
    return centers[~alone], around[~alone]


def build(counts, seed):
    """Returns the model: a table of words, and a head with a table of contexts."""
    word = keras.Input([], dtype="int32")
    embedding = keras.layers.Embedding(len(counts), WIDTH, name="embedding")
    head = tsc.keras.layers.SampledDense(len(counts), kernel_initializer="zeros", name="head")
    model = keras.Model(word, head(embedding(word)))
    head.bias.assign(np.log(counts / counts.sum()))
    model.compile(
        tsc.keras.optimizers.LazyAdam(2e-3),
        tsc.keras.losses.SampledSoftmax(
            num_sampled=256,
            num_true=2 * REACH,
            sampler=tsc.random.LearnedUnigramSampler(len(counts), seed=seed, initial_counts=counts),
            padding_label=NONE,
        ),
    )
    return model


def analogies(vocabulary):
    """Returns Google's questions whose four words are known: `[N, 4]` ids."""
    ids = {word: k for k, word in enumerate(vocabulary)}
    with open(datapath("questions-words.txt")) as lines:
        questions = [line.lower().split() for line in lines if not line.startswith(":")]
    return np.array([[ids[w] for w in q] for q in questions if all(w in ids for w in q)])


def solved(vectors, questions, k):
    """Returns the share of "a is to b as c is to d" whose d is among the k nearest to b - a + c."""
    vectors = unit(vectors)
    hits = 0
    for part in np.array_split(questions, 1 + len(questions) // 500):
        a, b, c, d = part.T
        nearness = (vectors[b] - vectors[a] + vectors[c]) @ vectors.T
        np.put_along_axis(nearness, part[:, :3], -np.inf, axis=1)
        nearer = nearness > np.take_along_axis(nearness, d[:, None], axis=1)
        hits += (nearer.sum(axis=1) < k).sum()
    return hits / len(questions)


def count_vectors(centers, around, classes, columns=1_000):
    """Returns how often each word is near each of the most frequent ones: `[classes, columns]`."""
    counted = (around != NONE) & (around < columns)
    rows = np.repeat(centers, counted.sum(axis=1)).astype(np.int64)
    pairs = np.bincount(rows * columns + around[counted], minlength=classes * columns)
    return pairs.reshape(classes, columns).astype(np.float32)


def mutual_information(pairs):
    """Returns the positive pointwise mutual information (PPMI) of counts."""
    expected = pairs.sum(axis=1, keepdims=True) * pairs.sum(axis=0, keepdims=True) / pairs.sum()
    return np.log(np.maximum(pairs / np.maximum(expected, 1e-9), 1))


def unit(vectors):
    """Returns the vectors with length 1; those that are zero stay zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def vectors_of(model):
    """Returns a vector for each word: what it says about its neighbours, and they about it."""
    tables = (model.get_layer(name).get_weights()[0] for name in ("embedding", "head"))
    return unit(sum(map(unit, tables)))


def nearest(vectors):
    """Returns the model that finds the 10 nearest words: the classes of a head of the vectors."""
    near = tsc.keras.layers.SampledDense(len(vectors), use_bias=False, name="near")
    word = keras.Input([], dtype="int32")
    direction = keras.layers.Embedding(*vectors.shape, name="direction")(word)
    top = keras.Model(word, tsc.keras.layers.TopK(near, 10)(direction))
    top.set_weights([vectors, vectors])
    return top


def main(arguments=None):
    """Trains, evaluates, serves and compares."""
    chosen = common.options(__file__, __doc__, arguments)
    vocabulary, counts, train, held_out = read(chosen.quick, chosen.validate)
    classes = len(vocabulary)
    keep = np.minimum(1, np.sqrt(1e-3 * counts.sum() / counts))
    centers, around = contexts(train, keep)
    seen = np.bincount(around[around != NONE], minlength=classes) + 1
    print(f"{len(centers):,} words to train on, {classes:,} classes")
    x, y = (part[:10_000] for part in contexts(held_out, keep))

    # One half of the analogies is held out, the other validates.
    questions = analogies(vocabulary)[0 if chosen.validate else 1 :: 2]

    def judge(model):
        return {
            "nats for a word nearby": model.evaluate(x, y, batch_size=512, verbose=0),
            "analogies, the best": solved(vectors_of(model), questions, 1),
            "analogies, among the 10 best": solved(vectors_of(model), questions, 10),
        }

    model = training.train(
        build(seen, chosen.seed),
        (centers, around),
        chosen,
        judge,
        batch_size=512,
        epochs=2 if chosen.quick else 4,
    )
    if chosen.validate:
        return 0
    known = y != NONE
    information = np.where(known, -np.log(seen / seen.sum())[y], 0)
    by_frequency = (information.sum(axis=1) / known.sum(axis=1)).mean()
    pairs = count_vectors(centers, around, classes)
    ppmi = mutual_information(pairs)
    nats, *shares = judge(model).items()
    rows = [(*nats, by_frequency, "frequent words", "lower")]
    for (name, ours), k in zip(shares, (1, 10)):
        # Of few analogies the best answer alone is found, so the 10 best decide.
        decides = "higher" if k == 10 else None
        rows.append((name, ours, solved(pairs, questions, k), "counts", decides))
        # Of a text as short as this one, weighted counts make the better vectors.
        rows.append((name, ours, solved(ppmi, questions, k), "PPMI", None))

    vectors = vectors_of(model)
    top = nearest(vectors)
    words = [word for word in ("three", "city", "war") if word in vocabulary]
    asked = np.array([vocabulary.index(word) for word in words], np.int32)
    for name, ids in zip(words, serving.serve(top, asked, chosen.folder)):
        print("near", name, "->", *(vocabulary[k] for k in ids[1:]))

    print(f"{len(questions):,} analogies of known words")
    return common.verdict(rows, chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
