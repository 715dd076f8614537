"""Models to examine, and a stopwatch that measures what a test says."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from tests.keras import conftest
from tf_sampled_compat.diagnose import run
from tf_sampled_compat.diagnose.stopwatch import Stopwatch

kerases = conftest.kerases
D = 8


class Told(Stopwatch):
    """Runs what it should measure, and says the time that the test chose."""

    def __init__(self, **seconds):
        super().__init__(1e9)
        self.seconds = {name.replace("_", " "): value for name, value in seconds.items()}

    def time(self, what, function):
        function()
        return self.seconds[what]


class Grown(Stopwatch):
    """Says a time that grows with the rows of an update, as that of a walk does."""

    def __init__(self, by_row):
        super().__init__(1e9)
        self.by_row = by_row

    def time(self, what, function):
        function()
        return 1e-3 + self.by_row * int(what.split()[2])


@pytest.fixture
def told():
    return Told


@pytest.fixture
def grown():
    return Grown


@contextlib.contextmanager
def probing(kerases, model, x, y, watch=None, callbacks=(), batch_size=32):
    with run.probing(
        kerases.keras,
        model,
        x,
        y,
        batch_size=batch_size,
        callbacks=callbacks,
        watch=watch or Told(),
    ) as probe:
        yield probe


def zipf(classes, size, seed=0):
    """Labels that are log-uniform, as those of classes numbered by frequency are."""
    u = np.random.RandomState(seed).rand(size)
    return np.minimum(np.exp(u * np.log(classes + 1)) - 1, classes - 1).astype(np.int64)


def inputs(size, seed=0):
    return np.random.RandomState(seed).randn(size, D).astype(np.float32)


def model_of(kerases, classes=500, loss=None, optimizer="sgd", metrics=(), head=None, **options):
    """A compiled model with one head."""
    keras, ours = kerases.keras, kerases.ours
    x = keras.Input([D])
    hidden = keras.layers.Dense(16, activation="relu", name="hidden")(x)
    logits = ours.layers.SampledDense(classes, name="head", **(head or {}))(hidden)
    model = keras.Model(x, logits)
    loss = loss or ours.losses.SampledSoftmax(64)
    model.compile(optimizer, loss, metrics=list(metrics), **options)
    return model


def scalars(folder):
    """Returns what a summary in a folder holds, by tag."""
    [path] = [str(p) for p in folder.rglob("events*")]
    found = {}
    for event in tf.compat.v1.train.summary_iterator(path):
        for value in event.summary.value:
            found[value.tag] = tf.make_ndarray(value.tensor)
    return found
