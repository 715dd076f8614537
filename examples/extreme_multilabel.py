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
import serving
import tensorflow as tf
import training
import wikipedia
from gensim.corpora import wikicorpus

import tf_sampled_compat as tsc

LINK = re.compile(r"\[\[([^\[\]|#:]+)[^\[\]:]*\]\]")
WORDS = 100  # of a paragraph, at most
WIDTH = 128
MOST_LINKS = 20


def paragraphs(quick):
    """Yields the words and the distinct links of each paragraph."""
    for text in wikipedia.articles(quick).values():
        for line in text.split("\n"):
            links = {link[:1].upper() + link[1:] for link in LINK.findall(line)}
            words = re.findall(r"[a-z]+", wikicorpus.filter_wiki(line).lower()) if links else []
            if len(words) >= 5:
                yield words[:WORDS], sorted(links)[:MOST_LINKS]


def numbered(lists):
    """Numbers what occurs in two or more lists, most frequent first."""
    # Unlike those of a set, the keys of a dictionary have the same order in every process.
    counts = Counter(name for names in lists for name in dict.fromkeys(names))
    return {name: k for k, (name, count) in enumerate(counts.most_common()) if count > 1}


def read(quick, validate):
    """Returns the links' names, and words and links of the paragraphs to train on and held out."""
    train, held_out = common.split(list(paragraphs(quick)), validate)
    words, links = (numbered(names) for names in zip(*train))
    parts = []
    for part in (train, held_out):
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


def build(words, classes, seed):
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
    sampler = tsc.random.LearnedUnigramSampler(classes, seed=seed)
    model.compile(
        tsc.keras.optimizers.LazyAdam(3e-3),
        tsc.keras.losses.SampledSoftmax(num_sampled=512, num_true=MOST_LINKS, sampler=sampler),
        metrics=[tsc.keras.metrics.ExactPrecisionAtK(1), tsc.keras.metrics.ExactNDCG(10)],
    )
    return model


def popular(labels):
    """Returns the precision at 1 and the NDCG at 10 of naming the most frequent links: 0, 1, ..."""
    gains = 1 / np.log2(np.arange(10) + 2)
    rows = labels.to_list()
    ndcg = [gains[[k for k in row if k < 10]].sum() / gains[: len(row)].sum() for row in rows]
    return {"precision at 1": np.mean([0 in row for row in rows]), "NDCG at 10": np.mean(ndcg)}


def main(arguments=None):
    """Trains, evaluates, serves and compares."""
    chosen = common.options(__file__, __doc__, arguments)
    links, words, train, held_out = read(chosen.quick, chosen.validate)
    x, y = held_out
    print(f"{len(train[0]):,} paragraphs to train on, {len(x):,} held out, {len(links):,} classes")
    tests = tf.data.Dataset.from_tensor_slices(held_out).batch(128)

    def judge(model):
        _, precision, ndcg = model.evaluate(tests, verbose=0)
        return {"precision at 1": precision, "NDCG at 10": ndcg}

    model = training.train(
        build(words, len(links), chosen.seed),
        train,
        chosen,
        judge,
        batch_size=128,
        epochs=8 if chosen.quick else 25,
    )
    if chosen.validate:
        return 0
    hidden = model.get_layer("hidden").output
    top = keras.Model(model.input, tsc.keras.layers.TopK(model.get_layer("head"), 10)(hidden))
    for to, ids in zip(y[:3].to_list(), serving.serve(top, x[:3], chosen.folder)):
        print("links to", ", ".join(links[k] for k in to), "->", ", ".join(links[k] for k in ids))

    ours, frequent = judge(model), popular(y)
    rows = [(name, ours[name], frequent[name], "most frequent links", "higher") for name in ours]
    return common.verdict(rows, chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
