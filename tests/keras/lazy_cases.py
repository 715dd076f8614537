"""Shared by the tests of the lazy optimizers: the Kerases, gradients, and a training step."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

ROWS, DIM = 40, 3
KERASES = [pytest.param((tf.keras, tsc.keras.optimizers), id="tf.keras")]
if importlib.util.find_spec("tf_keras"):
    import tf_keras

    KERASES.append(pytest.param((tf_keras, tsc.tf_keras.optimizers), id="tf_keras"))

# Each optimizer with the options that change its formula.
OPTIMIZERS = {
    "adam": ("Adam", {}),
    "amsgrad": ("Adam", {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    "adamw": ("AdamW", {"weight_decay": 0.05}),
    "adagrad": ("Adagrad", {"initial_accumulator_value": 0.2, "epsilon": 1e-3}),
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
}


def is_keras3(keras):
    return hasattr(keras.optimizers.Optimizer, "stateless_apply")


def pair(kerases, name, **options):
    """Returns Keras's optimizer and ours, with equal options."""
    keras, ours = kerases
    options = {"learning_rate": 0.1, **options}
    return getattr(keras.optimizers, name)(**options), getattr(ours, f"Lazy{name}")(**options)


def slices(ids, *, seed=0, scale=1.0, dtype="float32"):
    values = np.random.default_rng(seed).normal(size=(len(ids), DIM)) * scale
    return tf.IndexedSlices(
        tf.constant(values, dtype), tf.constant(ids, tf.int64), tf.constant([ROWS, DIM], tf.int64)
    )


def all_rows(step, **kwargs):
    """Returns a gradient in which each row occurs, in any order, some more than once."""
    rng = np.random.default_rng(step)
    ids = np.concatenate([rng.permutation(ROWS), rng.integers(0, ROWS, 9)])
    return slices(ids, seed=step, **kwargs)


def few_rows(step, **kwargs):
    """Returns a gradient in which rows of the first half occur, some more than once."""
    return slices(np.random.default_rng(step).integers(0, ROWS // 2, 7), seed=step, **kwargs)


def table(dtype="float32"):
    return tf.Variable(np.random.default_rng(9).normal(size=(ROWS, DIM)), dtype=dtype)


def state(optimizer, *variables):
    """Returns the values of variables and of the optimizer's slots."""
    return [np.array(each) for each in [*variables, *list(optimizer.variables)]]


def train(optimizer, gradients, *, dense=False, compiled=False, jit=False, dtype="float32"):
    """Applies gradients to a table and a bias, step by step; returns all variables' values."""
    weights, bias = table(dtype), tf.Variable([1.0, -2.0])
    optimizer.build([weights, bias])

    def step(values, ids):
        gradient = tf.IndexedSlices(values, ids, tf.constant([ROWS, DIM], tf.int64))
        gradient = tf.convert_to_tensor(gradient) if dense else gradient
        optimizer.apply_gradients([(gradient, weights), (tf.constant([0.3, 0.4]), bias)])

    if compiled or jit:
        step = tf.function(step, jit_compile=jit)
    for gradient in gradients:
        step(gradient.values, gradient.indices)
    return state(optimizer, weights, bias)


def assert_close(some, others, *, ulps=8):
    assert len(some) == len(others)
    for one, other in zip(some, others):
        one, other = np.float64(one), np.float64(other)
        atol = ulps * np.finfo(np.float32).eps * max(1, np.abs(other).max())
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


def assert_same(some, others):
    assert len(some) == len(others)
    for one, other in zip(some, others):
        np.testing.assert_array_equal(one, other)
