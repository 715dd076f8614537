"""Initializers, regularizers and constraints see the `[dim, classes]` kernel, as in `Dense`."""

import numpy as np
import pytest
import tensorflow as tf

from tests.keras.conftest import C, D, functional, head_of

INITIALIZERS = ("GlorotUniform", "HeNormal", "LecunUniform", "Orthogonal", "RandomNormal")


def layers(kerases, **options):
    """Makes a head and a `Dense`, both for inputs of D numbers."""
    head = kerases.ours.layers.SampledDense(C, **options)
    dense = kerases.keras.layers.Dense(C, **options)
    for layer in (head, dense):
        layer.build((None, D))
    return head, dense


def test_fans_are_denses(kerases):
    head = kerases.ours.layers.SampledDense(50_000, kernel_initializer="he_normal")
    head.build((None, 64))
    np.testing.assert_allclose(np.array(head.kernel).std(), np.sqrt(2 / 64), rtol=1e-2)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_same_seed_gives_denses_kernel(kerases, name):
    made = getattr(kerases.keras.initializers, name)
    head = kerases.ours.layers.SampledDense(C, kernel_initializer=made(seed=3))
    dense = kerases.keras.layers.Dense(C, kernel_initializer=made(seed=3))
    for layer in (head, dense):
        layer.build((None, D))
    assert np.array_equal(np.array(head.kernel).T, np.array(dense.kernel))


def test_a_function_sees_the_shape_that_dense_shows_it(kerases):
    seen = []

    def initializer(shape, dtype=None):
        seen.append(tuple(shape))
        return tf.reshape(tf.range(C * D, dtype=tf.float32), shape)

    head, dense = layers(kerases, kernel_initializer=initializer)
    assert seen == [(D, C)] * 2
    assert np.array_equal(np.array(head.kernel).T, np.array(dense.kernel))


@pytest.mark.parametrize("constraint", ["unit_norm", "max_norm", "non_neg"])
def test_constraints_see_denses_axes(kerases, constraint):
    head, dense = layers(kerases, kernel_constraint=constraint, kernel_initializer="he_normal")
    kernel = 3 * np.random.RandomState(0).randn(C, D).astype("f")
    got = head._kernel.constraint(tf.constant(kernel))
    want = dense.kernel.constraint(tf.constant(kernel.T))
    assert np.array_equal(got, np.transpose(want))
    if constraint == "unit_norm":
        np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, rtol=1e-4)


def test_a_step_keeps_each_class_at_unit_norm(kerases, batch):
    model = functional(kerases, kernel_constraint="unit_norm")
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(10))
    model.fit(*batch, verbose=0)
    norms = np.linalg.norm(np.array(head_of(model).kernel), axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-4)


def test_regularizers_see_denses_axes(kerases):
    def rows_only(kernel):
        return tf.reduce_sum(kernel[0] ** 2)

    for regularizer in (rows_only, "l2", kerases.keras.regularizers.L1(0.1)):
        head, dense = layers(kerases, kernel_regularizer=regularizer)
        dense.kernel.assign(np.array(head.kernel).T)
        np.testing.assert_allclose(float(sum(head.losses)), float(sum(dense.losses)), rtol=1e-6)
        assert float(sum(head.losses)) > 0


def test_no_copy_is_made_where_the_axes_do_not_matter(kerases):
    head = kerases.ours.layers.SampledDense(
        C, kernel_initializer="zeros", kernel_regularizer="l2", kernel_constraint="non_neg"
    )
    head.build((None, D))
    assert head._kernel.constraint is head.kernel_constraint


def test_a_config_holds_the_users_own(kerases):
    options = {
        "kernel_initializer": "HeNormal",
        "kernel_regularizer": "OrthogonalRegularizer",
        "kernel_constraint": "UnitNorm",
    }
    made = {
        "kernel_initializer": kerases.keras.initializers.HeNormal(seed=1),
        "kernel_regularizer": kerases.keras.regularizers.OrthogonalRegularizer(),
        "kernel_constraint": kerases.keras.constraints.UnitNorm(),
    }
    head, _ = layers(kerases, **made)
    for name, class_name in options.items():
        assert head.get_config()[name]["class_name"] == class_name
        assert getattr(head, name) is made[name]
    again = type(head).from_config(head.get_config())
    assert again.get_config() == head.get_config()
