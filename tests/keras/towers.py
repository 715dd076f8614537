"""Models of two towers, and the losses that they must have."""

import types

import numpy as np

import tf_sampled_compat as tsc

USERS, ITEMS, DIM, N = 30, 20, 8, 70  # the last batch of 16 has 6 rows
R = np.random.RandomState(0)
U, I = R.randint(0, USERS, N), R.randint(0, ITEMS, N)
SEEN = R.randint(0, 5, ITEMS)


def towers(kerases, **options):
    """A model of two towers; the item tower has two layers."""
    keras = kerases.keras
    user, item = keras.Input([], dtype="int32"), keras.Input([], dtype="int32")
    queries = keras.layers.Embedding(USERS, DIM)(user)
    items = keras.Sequential([keras.layers.Embedding(ITEMS, 12), keras.layers.Dense(DIM)])
    candidates = items(item)
    logits = kerases.ours.layers.InBatchLogits(name="pairs", **options)(queries, candidates, item)
    model = keras.Model([user, item], logits)
    outputs = keras.Model([user, item], [queries, candidates])
    return types.SimpleNamespace(model=model, outputs=outputs)


def compiled(kerases, optimizer="sgd", metrics=(), run_eagerly=False,
             jit_compile=None, loss=None, **options):  # fmt: skip
    made = towers(kerases, **options)
    more = {} if jit_compile is None else {"jit_compile": jit_compile}
    made.model.compile(
        optimizer, loss or kerases.ours.losses.InBatchSoftmax(), metrics=list(metrics),
        run_eagerly=run_eagerly, **more,
    )  # fmt: skip
    return made


def expected(made, rows, weights=None, **options):
    """Returns the losses of a batch, by the function of `tsc.nn`."""
    queries, candidates = made.outputs([U[rows], I[rows]])
    mask = None if weights is None else weights != 0
    return tsc.nn.in_batch_softmax_loss(queries, candidates, I[rows], mask=mask, **options).numpy()


def batches(size=16):
    return [np.arange(start, min(start + size, N)) for start in range(0, N, size)]


def frequencies(**options):
    return tsc.random.LearnedUnigramSampler(ITEMS, seed=1, initial_counts=SEEN, **options)


LEARNED = 1 + SEEN
KINDS = {
    "nothing": (lambda: {}, {}),
    "array": (lambda: {"frequencies": LEARNED, "temperature": 0.5},
              {"candidate_sampling_probability": LEARNED, "temperature": 0.5}),
    "learned": (lambda: {"frequencies": frequencies()},
                {"candidate_sampling_probability": LEARNED}),
    "with hits": (lambda: {"remove_accidental_hits": False}, {"remove_accidental_hits": False}),
}  # fmt: skip


def of(rows, options):
    chance = options.get("candidate_sampling_probability")
    return options if chance is None else {
        **options, "candidate_sampling_probability": chance[I[rows]].astype("f")
    }  # fmt: skip
