"""Extreme multi-label classification: which articles does a paragraph of Wikipedia link to?

gensim ships some articles of Wikipedia. A paragraph has any number of links, so the labels are
ragged. Every tenth paragraph is held out. The baseline recommends the most frequent links.
"""

import re
import sys
from collections import Counter

import common
import keras
import numpy as np
import tensorflow as tf
from gensim.corpora import wikicorpus

import tf_sampled_compat as tsc

LINK = re.compile(r"\[\[([^\[\]|#:]+)[^\[\]:]*\]\]")
WORDS = 100  # of a paragraph, at most
WIDTH = 128
MOST_LINKS = 20


def paragraphs(quick):
    """Yields the words and the distinct links of each paragraph."""
    for text in common.wikipedia(quick).values():
        for line in text.split("\n"):
            links = {link[:1].upper() + link[1:] for link in LINK.findall(line)}
            words = re.findall(r"[a-z]+", wikicorpus.filter_wiki(line).lower()) if links else []
            if len(words) >= 5:
                yield words[:WORDS], sorted(links)[:MOST_LINKS]


def numbered(lists):
    """Numbers what occurs in two or more lists, most frequent first."""
    counts = Counter(name for names in lists for name in set(names))
    return {name: k for k, (name, count) in enumerate(counts.most_common()) if count > 1}


def read(quick):
    """Returns the links' names, and words and links of the paragraphs to train on and held out."""
    every = list(paragraphs(quick))
    train = [pair for k, pair in enumerate(every) if k % 10]
    words, links = (numbered(names) for names in zip(*train))
    parts = []
    for part in (train, every[::10]):
        # Word 0 is padding. A link that training never saw cannot be found, and is left out.
        known = [
            (
                [1 + words[w] for w in text if w in words],
                [links[name] for name in to if name in links],
            )
            for text, to in part
        ]
        known = [(text, to) for text, to in known if text and to]
        x = keras.utils.pad_sequences([text for text, _ in known], WORDS, padding="post")
        parts.append((x, tf.ragged.constant([to for _, to in known], dtype=tf.int64)))
    return list(links), len(words) + 1, *parts


def build(words, classes):
    """Returns the model: the mean of the words' vectors, one hidden layer, and the head."""
    text = keras.Input([WORDS], dtype="int32")
    # So large that the mean over a paragraph still tells paragraphs apart.
    start = keras.initializers.RandomNormal(stddev=0.5)
    vectors = keras.layers.Embedding(words, WIDTH, start, mask_zero=True)(text)
    mean = keras.layers.GlobalAveragePooling1D()(vectors)
    hidden = keras.layers.Dense(WIDTH, activation="relu", name="hidden")(
        keras.layers.Dropout(0.2)(mean)
    )
    model = keras.Model(text, tsc.keras.layers.SampledDense(classes, name="head")(hidden))
    model.compile(
        tsc.keras.optimizers.LazyAdam(3e-3),
        tsc.keras.losses.SampledSoftmax(num_sampled=512, num_true=MOST_LINKS),
        metrics=[tsc.keras.metrics.ExactPrecisionAtK(1), tsc.keras.metrics.ExactNDCG(10)],
    )
    return model


def popular(labels):
    """Returns the precision at 1 and the NDCG at 10 of naming the most frequent links: 0, 1, ..."""
    gains = 1 / np.log2(np.arange(10) + 2)
    rows = labels.to_list()
    ndcg = [gains[[k for k in row if k < 10]].sum() / gains[: len(row)].sum() for row in rows]
    return np.mean([0 in row for row in rows]), np.mean(ndcg)


def main():
    """Trains, evaluates, serves and compares."""
    chosen = common.options(__file__, __doc__)
    keras.utils.set_random_seed(1)
    links, words, (x, y), held_out = read(chosen.quick)
    print(
        f"{len(x):,} paragraphs to train on, {len(held_out[0]):,} held out, {len(links):,} classes"
    )
    train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(128)
    model = common.train(
        build(words, len(links)),
        train,
        epochs=15,
        shuffle=False,  # The data set shuffles.
        folder=chosen.folder,
        kill_in=chosen.kill_in,
    )
    tests = tf.data.Dataset.from_tensor_slices(held_out).batch(128)
    _, precision, ndcg = model.evaluate(tests, verbose=0)

    hidden = model.get_layer("hidden").output
    top = keras.Model(model.input, tsc.keras.layers.TopK(model.get_layer("head"), 10)(hidden))
    x, y = held_out
    for to, ids in zip(y[:3].to_list(), common.serve(top, x[:3], chosen.folder)):
        print("links to", ", ".join(links[k] for k in to), "->", ", ".join(links[k] for k in ids))

    first, ten = popular(y)
    return common.verdict(
        [
            ("precision at 1", precision, first, "most frequent link", "higher"),
            ("NDCG at 10", ndcg, ten, "most frequent links", "higher"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
