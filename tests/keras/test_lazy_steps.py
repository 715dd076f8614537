"""A lazy optimizer equals its parent if all rows occur, and does not change absent rows."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.lazy_cases import (
    DIM,
    KERASES,
    OPTIMIZERS,
    ROWS,
    all_rows,
    assert_close,
    assert_same,
    few_rows,
    pair,
    slices,
    state,
    table,
    train,
)

pytestmark = pytest.mark.parametrize("kerases", KERASES)
each_optimizer = pytest.mark.parametrize(
    ("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys()
)


@each_optimizer
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_with_every_row_it_is_its_parent(kerases, name, options, compiled):
    gradients = [all_rows(step) for step in range(5)]
    stock, ours = pair(kerases, name, **options)
    expected = train(stock, gradients, dense=True, compiled=True)
    assert_close(train(ours, gradients, compiled=compiled), expected)


@pytest.mark.parametrize("kind", ["amsgrad", "nesterov"])
def test_xla_computes_the_same(kerases, kind):
    """Under XLA a repeated id stays repeated, so its row is written more than once."""
    name, options = OPTIMIZERS[kind]
    gradients = [few_rows(step) for step in range(4)]
    results = [
        train(pair(kerases, name, **options)[1], gradients, jit=jit) for jit in (False, True)
    ]
    assert_close(*results)
    for after in results[1][:1]:
        np.testing.assert_array_equal(after[ROWS // 2 :], table().numpy()[ROWS // 2 :])


@each_optimizer
def test_dense_gradients_are_its_parents_to_the_bit(kerases, name, options):
    gradients = [few_rows(step) for step in range(4)]
    results = [
        train(each, gradients, dense=True, compiled=True) for each in pair(kerases, name, **options)
    ]
    assert_same(*results)


@each_optimizer
def test_rows_that_do_not_occur_stay_as_they_are(kerases, name, options):
    """A first step with all rows gives momentum, which could move absent rows."""
    _, ours = pair(kerases, name, **options)
    weights = table()
    ours.apply_gradients([(all_rows(0), weights)])
    before = state(ours, weights)
    ours.apply_gradients([(few_rows(1), weights)])
    after = state(ours, weights)
    occurred = np.unique(few_rows(1).indices)
    others = np.setdiff1d(np.arange(ROWS), occurred)
    tables = [i for i, each in enumerate(before) if each.shape == (ROWS, DIM)]
    for i in tables:
        np.testing.assert_array_equal(before[i][others], after[i][others])
    assert (before[0][occurred] != after[0][occurred]).any(axis=1).all()


@each_optimizer
def test_duplicates_are_summed_first(kerases, name, options):
    once = [slices([3, 5, 0], seed=step) for step in range(3)]
    thrice = [
        tf.IndexedSlices(tf.concat([each.values * part for part in (0.25, 1.5, -0.75)], 0), ids)
        for each in once
        for ids in [tf.tile(each.indices, [3])]
    ]
    results = [train(pair(kerases, name, **options)[1], each) for each in (once, thrice)]
    assert_close(*results)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {"beta_2": 0.99, "epsilon": 1e-3}),
        ("Adagrad", {}),
        ("SGD", {"momentum": 0.9}),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_dtypes(kerases, dtype, name, options):
    """Low precision is rounded once per step, not at each operation, so it follows float32."""
    gradients = [all_rows(step, dtype=dtype) for step in range(5)]
    ours = train(pair(kerases, name, **options)[1], gradients, compiled=True, dtype=dtype)
    exact = [tf.IndexedSlices(tf.cast(each.values, tf.float32), each.indices) for each in gradients]
    expected = train(pair(kerases, name, **options)[1], exact)
    assert ours[0].dtype.name == dtype
    epsilon = {"float64": 1e-6, "float16": 2.0**-10, "bfloat16": 2.0**-7}[dtype]
    error = np.abs(np.float64(ours[0]) - expected[0]).max()
    assert error <= 5 * epsilon * np.abs(expected[0]).max()


def test_a_learning_rate_schedule(kerases):
    keras, _ = kerases
    gradients = [all_rows(step) for step in range(5)]
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    stock, ours = pair(kerases, "Adam", learning_rate=schedule)
    expected = train(stock, gradients, dense=True, compiled=True)
    assert_close(train(ours, gradients, compiled=True), expected)
    constant = train(pair(kerases, "Adam", learning_rate=0.5)[1], gradients)
    assert np.abs(constant[0] - expected[0]).max() > 0.1


def test_one_optimizer_for_sparse_and_dense_gradients_of_one_table(kerases):
    """A regularizer's step is dense; the next may be sparse."""
    results = []
    for optimizer, dense in zip(pair(kerases, "Adam"), (True, False)):
        weights = table()
        for step in range(4):
            gradient = all_rows(step)
            if dense or step % 2:
                gradient = tf.convert_to_tensor(gradient)
            optimizer.apply_gradients([(gradient, weights)])
        results.append(state(optimizer, weights))
    assert_close(*results)


def test_a_constraint_holds(kerases):
    _, ours = pair(kerases, "SGD")
    weights = tf.Variable(tf.ones([ROWS, DIM]), constraint=lambda w: tf.clip_by_value(w, 0, 0.5))
    ours.apply_gradients([(slices([1]), weights)])
    assert weights.numpy().max() == 0.5


def test_it_is_a_subclass_with_its_parents_arguments(kerases):
    keras, namespace = kerases
    for name in namespace.__all__:
        ours, parent = getattr(namespace, name), getattr(keras.optimizers, name[len("Lazy") :])
        assert issubclass(ours, parent) and ours.__name__ == name
        assert inspect.signature(ours) == inspect.signature(parent)
