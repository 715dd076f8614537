"""Samplers with a state, models that train with them, and what the state is."""

import functools

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, D, functional

N = 64


def learned(decay=None):
    return tsc.random.LearnedUnigramSampler(C, seed=1, decay=decay)


def in_batch():
    return tsc.random.InBatchSampler(learned())


def mixture():
    frequencies = learned()
    return tsc.random.MixtureSampler(
        [(frequencies, 6), (tsc.random.InBatchSampler(frequencies), N), (learned(0.9), 4)]
    )


def mixture_with_functions():
    fixed = tsc.random.fixed_unigram_candidate_sampler
    return tsc.random.MixtureSampler(
        [
            (in_batch(), N),
            (tsc.random.log_uniform_candidate_sampler, 3),
            (functools.partial(fixed, unigrams=list(range(1, C + 1))), 4),
        ]
    )


SAMPLERS = {
    "learned": (learned, 10),
    "in_batch": (in_batch, N),
    "mixture": (mixture, N + 10),
    "mixture with functions": (mixture_with_functions, N + 7),
}
# Those whose draws depend on their own state alone. TensorFlow's kernels have states of their own.
RESUMABLE = ["learned", "in_batch", "mixture"]


def data(batch):
    x, y = batch
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(16)


def compiled(kerases, kind, **options):
    make, size = SAMPLERS[kind]
    kerases.keras.utils.set_random_seed(3)
    model = functional(kerases)
    model.build([None, D])
    loss = kerases.ours.losses.SampledSoftmax(size, sampler=make(), exclude_true=True)
    model.compile(kerases.ours.optimizers.LazyAdam(1e-2), loss, **options)
    return model


def state_of(sampler):
    state = {}
    sampler.save_own_variables(state)
    return {name: np.array(value) for name, value in state.items()}


def assert_same_state(one, other):
    first, second = state_of(one), state_of(other)
    assert set(first) == set(second) and first
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
