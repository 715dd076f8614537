"""Partial FC: a face-like task over 1,000,000 identities, trained on a share of the classes.

Each step compares an input with its own identity, under a margin, and with a random share of all
others: the rate. The identities are synthetic: points of a sphere, around which lie the inputs of
each, hidden among directions that say nothing of it. The network must find these out. How often an
identity occurs has a long tail.

What counts is verification: whether two inputs are of the same identity, for identities that were
not trained on. The program prints the accuracy and the time of a step for each rate and margin, and
exits with 1 if training at any rate does not beat the cosines of the inputs themselves.

Source: An et al., "Killing Two Birds with One Stone: Efficient and Robust Training of Face
Recognition CNNs by Partial FC" (2022), arXiv:2203.15565.
"""

import argparse
import sys
import time

import keras
import numpy as np

import tf_sampled_compat as tsc

LATENT, WIDTH, EMBEDDING = 16, 64, 32
MARGINS = {"ArcFace": tsc.margins.ArcFace(0.3), "CosFace": tsc.margins.CosFace(0.2)}
SCALE = 32  # of the cosines: one over the temperature


def unit(vectors):
    """Divides vectors by their lengths."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


class Faces:
    """Draws inputs of identities, which are points of a sphere."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.mix = np.linalg.qr(self.rng.standard_normal([WIDTH, WIDTH]))[0].astype("f")

    def centers(self, count):
        """Returns `[count, LATENT]` identities."""
        return unit(self.rng.standard_normal([count, LATENT], np.float32))

    def inputs(self, centers):
        """Returns an `[..., WIDTH]` input of each identity."""
        near = unit(centers + 0.15 * self.rng.standard_normal(centers.shape, np.float32))
        others = self.rng.standard_normal([*centers.shape[:-1], WIDTH - LATENT], np.float32)
        return np.concatenate([near, 0.3 * others], axis=-1) @ self.mix

    def labels(self, count, identities):
        """Returns ids with a long tail: log-uniform ones."""
        drawn = np.exp(self.rng.uniform(0, np.log(identities + 1), count))
        return np.minimum(drawn.astype(np.int64), identities) - 1

    def pairs(self, count):
        """Returns inputs `[2, count, WIDTH]`; every other pair is of one identity; and which."""
        first, second = self.centers(count), self.centers(count)
        same = np.arange(count) % 2 == 0
        return self.inputs(np.stack([first, np.where(same[:, None], first, second)])), same


def accuracy(embedded, same):
    """Returns the share of pairs that a threshold on their cosines tells apart.

    The threshold that is best for one half judges the other half.
    """
    cosines = (unit(embedded[0]) * unit(embedded[1])).sum(axis=1)
    halves = [slice(0, len(same) // 2), slice(len(same) // 2, None)]
    found = []
    for known, judged in (halves, halves[::-1]):
        thresholds = np.quantile(cosines[known], np.linspace(0, 1, 401))
        right = [np.mean((cosines[known] > t) == same[known]) for t in thresholds]
        threshold = thresholds[np.argmax(right)]
        found.append(np.mean((cosines[judged] > threshold) == same[judged]))
    return float(np.mean(found))


class Clock(keras.callbacks.Callback):
    """Notes how long each epoch takes."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        """Starts."""
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Stops."""
        self.seconds.append(time.perf_counter() - self.start)


def every_class(true_classes, num_true, num_sampled, unique, range_max, seed=None):
    """Draws nothing: all classes are candidates, at rate 1."""
    del range_max, seed
    return tsc.random.all_candidate_sampler(true_classes, num_true, num_sampled, unique)


def partial_fc(identities, rate, margin):
    """Returns the network, and the model that trains it on a share of the classes."""
    network = keras.Sequential(
        [keras.Input([WIDTH]), keras.layers.Dense(EMBEDDING, use_bias=False)]
    )
    head = tsc.keras.layers.SampledDense(
        identities,
        use_bias=False,
        normalize=True,
        temperature=1 / SCALE,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
    )
    model = keras.Sequential([network, head])
    loss = tsc.keras.losses.SampledSoftmax(
        num_sampled=round(rate * identities),
        sampler="uniform" if rate < 1 else every_class,
        exclude_true=True,  # An input's own identity is always in, but is no negative of it.
        margin=margin,
    )
    model.compile(tsc.keras.optimizers.LazySGD(0.1), loss)
    return network, model


def train(data, identities, rate, margin, batch_size):
    """Trains for two epochs; returns the network, and the ms of a step in the second."""
    network, model = partial_fc(identities, rate, margin)
    clock = Clock()
    inputs, labels = (part[: len(part) // batch_size * batch_size] for part in data)
    model.fit(inputs, labels, batch_size=batch_size, epochs=2, verbose=0, callbacks=[clock])
    return network, 1e3 * clock.seconds[-1] * batch_size / len(labels)


def main(arguments=None):
    """Trains at each rate, under each margin, and prints the table."""
    parser = argparse.ArgumentParser(prog="python examples/partial_fc.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 identities, as CI does")
    parser.add_argument("--identities", type=int, help="how many to train on (1,000,000)")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.1, 0.2, 0.5, 1.0])
    parser.add_argument("--margins", nargs="+", choices=MARGINS, default=list(MARGINS))
    parser.add_argument("--seed", type=int, default=1, help="of data, weights and order (1)")
    chosen = parser.parse_args(arguments)
    identities = chosen.identities or (2_000 if chosen.quick else 1_000_000)
    count = 4_096 if chosen.quick else 8_192
    faces = Faces(chosen.seed)
    centers, labels = faces.centers(identities), faces.labels(count, identities)
    data = faces.inputs(centers[labels]), labels
    pairs, same = faces.pairs(10_000)
    raw = accuracy(pairs, same)
    print(f"{identities:,} identities; the inputs' own cosines: {raw:.4f}")
    print("| margin | rate | accuracy | ms a step |\n|---|---|---|---|")
    beaten = True
    for name in chosen.margins:
        for rate in chosen.rates:
            keras.utils.set_random_seed(chosen.seed)
            network, ms = train(data, identities, rate, MARGINS[name], batch_size=256)
            found = accuracy(np.stack([network.predict(x, 1024, verbose=0) for x in pairs]), same)
            print(f"| {name} | {rate:g} | {found:.4f} | {ms:.0f} |", flush=True)
            beaten = beaten and found > raw
    return int(not beaten)


if __name__ == "__main__":
    sys.exit(main())
