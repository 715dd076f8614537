"""A language model of Python's identifiers: a GRU with tied weights, judged by its perplexity.

The text is the source of Python's standard library, each file as the sequence of the identifiers in
it. Whole files are held out. The baseline counts bigrams, with absolute discounting.
"""

import sys

import common
import keras
import numpy as np
import serving
import training

import tf_sampled_compat as tsc
from tf_sampled_compat.demo import corpus

LENGTH = 32  # steps that the gradient flows through
WIDTH = 128
END, UNKNOWN = "<end of file>", "<unknown>"


def files(quick):
    """Returns the identifiers of each file of the standard library, without its tests."""
    paths = [p for p in corpus.standard_library() if not {"test", "tests"} & set(p.parts)]
    texts = [corpus.identifiers(path) for path in (paths[::8] if quick else paths)]
    return [text for text in texts if text]


def read(quick, validate):
    """Returns the vocabulary, most frequent first, and the training and held-out ids as streams."""
    texts = files(quick)
    train, held_out = common.split(texts, validate)
    names, counts = np.unique(np.concatenate(train), return_counts=True)
    most = np.argsort(-counts, kind="stable")[: 2_000 if quick else 20_000]
    # log_uniform sampling assumes that class 0 is the most frequent one.
    vocabulary = [UNKNOWN, END, *names[most].tolist()]
    ids = {name: k for k, name in enumerate(vocabulary)}
    streams = [
        np.array([ids.get(name, 0) for text in part for name in [*text, END]], np.int32)
        for part in (train, held_out)
    ]
    return vocabulary, *streams


def windows(stream):
    """Cuts a stream into `[N, LENGTH]` inputs and, one place on, labels."""
    rows = (len(stream) - 1) // LENGTH
    x, y = stream[:-1], stream[1:]
    return tuple(part[: rows * LENGTH].reshape(rows, LENGTH) for part in (x, y))


def build(counts, seed):
    """Returns the model: it shares one table between its first and its last layer."""
    classes = len(counts)
    ids = keras.Input([None], dtype="int32")
    embedding = keras.layers.Embedding(classes, WIDTH, name="embedding")
    state = keras.layers.Dropout(0.1)(embedding(ids))
    state = keras.layers.GRU(WIDTH, return_sequences=True)(state)
    state = keras.layers.Dense(WIDTH, name="state")(state)
    head = tsc.keras.layers.SampledDense(classes, kernel=embedding, name="head")
    model = keras.Model(ids, head(state))
    head.bias.assign(np.log(counts / counts.sum()))  # It starts as the unigram model.
    sampler = tsc.random.LearnedUnigramSampler(classes, seed=seed, initial_counts=counts)
    model.compile(
        tsc.keras.optimizers.LazyAdam(5e-3, clipnorm=1.0),
        tsc.keras.losses.SampledSoftmax(num_sampled=512, sampler=sampler),
        metrics=[tsc.keras.metrics.ExactRecallAtK(10)],
    )
    return model


class Bigrams:
    """Counts what follows what; what discounting takes from seen pairs goes to unigrams."""

    def __init__(self, train, classes, discount=0.75):
        self.classes, self.discount = classes, discount
        self.unigrams = np.bincount(train, minlength=classes) + 1.0
        codes = train[:-1].astype(np.int64) * classes + train[1:]
        self.pairs, self.counts = np.unique(codes, return_counts=True)
        self.firsts, self.seconds = np.divmod(self.pairs, classes)
        self.starts = np.bincount(self.firsts, weights=self.counts, minlength=classes)
        self.kinds = np.bincount(self.firsts, minlength=classes)

    def probability(self, x, y):
        """Returns P(y | x)."""
        asked = x.astype(np.int64) * self.classes + y
        place = np.minimum(np.searchsorted(self.pairs, asked), len(self.pairs) - 1)
        seen = np.where(self.pairs[place] == asked, self.counts[place] - self.discount, 0)
        starts = np.maximum(self.starts[x], 1)
        rest = np.where(self.starts[x] > 0, self.discount * self.kinds[x] / starts, 1)
        return seen / starts + rest * self.unigrams[y] / self.unigrams.sum()

    def best(self, x, k=10):
        """Returns the k most frequent successors of x, `[..., k]`; the most frequent fill up."""
        best = np.tile(np.argsort(-self.unigrams)[:k], [self.classes, 1])
        order = np.lexsort([-self.counts, self.firsts])
        firsts = self.firsts[order]
        rank = np.arange(len(firsts)) - np.searchsorted(firsts, firsts)
        top = rank < k
        best[firsts[top], rank[top]] = self.seconds[order][top]
        return best[x]


def main(arguments=None):
    """Trains, evaluates, serves and compares."""
    chosen = common.options(__file__, __doc__, arguments)
    vocabulary, train, held_out = read(chosen.quick, chosen.validate)
    classes = len(vocabulary)
    print(
        f"{len(train):,} identifiers to train on, {len(held_out):,} held out, {classes:,} classes"
    )
    counts = np.bincount(train, minlength=classes) + 1
    x, y = windows(held_out)

    def judge(model):
        loss, recall = model.evaluate(x, y, verbose=0)
        return {"perplexity": np.exp(loss), "next one among the 10 best": recall}

    model = training.train(
        build(counts, chosen.seed),
        windows(train),
        chosen,
        judge,
        batch_size=32 if chosen.quick else 64,
        epochs=2 if chosen.quick else 3,
    )
    if chosen.validate:
        return 0
    ours = judge(model)

    state = model.get_layer("state").output[:, -1]
    known = np.arange(1, classes)  # "The next one is unknown" helps nobody.
    best = tsc.keras.layers.TopK(model.get_layer("head"), 10, allowed=known)
    top = keras.Model(model.input, best(state))
    for row, ids in zip(x[:3], serving.serve(top, x[:3], chosen.folder)):
        print(
            "after", " ".join(vocabulary[k] for k in row[-6:]), "->", *(vocabulary[k] for k in ids)
        )

    bigrams = Bigrams(train, classes)
    by_counts = {
        "perplexity": np.exp(-np.log(bigrams.probability(x, y)).mean()),
        "next one among the 10 best": (bigrams.best(x) == y[..., None]).any(-1).mean(),
    }
    better = ("lower", "higher")
    rows = [(name, ours[name], by_counts[name], "count bigram", b) for name, b in zip(ours, better)]
    return common.verdict(rows, chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
