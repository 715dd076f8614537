"""The lazy optimizers with every kind of table, ids and learning rate that Keras's take."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.lazy_cases import KERASES, OPTIMIZERS, ROWS, assert_close, pair, state

each_keras = pytest.mark.parametrize("kerases", KERASES)
each_optimizer = pytest.mark.parametrize(
    ("name", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys()
)


def vector(ids=None, ids_dtype="int64", seed=0):
    """A gradient of a table with one number a row, in which all rows or some occur."""
    ids = np.arange(ROWS) if ids is None else np.array(ids)
    values = np.random.default_rng(seed).normal(size=len(ids))
    return tf.IndexedSlices(
        tf.constant(values, tf.float32), tf.constant(ids, ids_dtype), tf.constant([ROWS])
    )


@each_keras
@each_optimizer
@pytest.mark.parametrize("ids_dtype", ["int32", "int64"])
def test_a_table_of_one_number_a_row(kerases, name, options, ids_dtype):
    results = []
    for optimizer, dense in zip(pair(kerases, name, **options), (True, False)):
        table = tf.Variable(tf.ones([ROWS]))
        for step in range(3):
            gradient = vector(ids_dtype=ids_dtype, seed=step)
            gradient = tf.convert_to_tensor(gradient) if dense else gradient
            optimizer.apply_gradients([(gradient, table)])
        results.append(state(optimizer, table))
    assert_close(*results)


@each_keras
@pytest.mark.parametrize("name", ["Adam", "Adagrad", "SGD"])
def test_a_learning_rate_that_is_called(kerases, name):
    results = []
    for rate in (0.3, lambda: 0.3):
        _, ours = pair(kerases, name, learning_rate=rate)
        table = tf.Variable(tf.ones([ROWS]))
        for step in range(3):
            ours.apply_gradients([(vector([1, 5, 1], seed=step), table)])
        results.append([table.numpy()])
    assert_close(*results)
    assert results[0][0][5] != 1


@each_keras
@each_optimizer
def test_two_tables_of_one_optimizer(kerases, name, options):
    """Each is trained as if it were alone."""
    gradients = [(vector([1, 5, 1], seed=step), vector([2, 5], seed=9 + step)) for step in range(3)]

    def train(which):
        _, ours = pair(kerases, name, **options)
        tables = [tf.Variable(tf.ones([ROWS])) for _ in which]
        ours.build(tables)
        for both in gradients:
            ours.apply_gradients([(both[i], table) for i, table in zip(which, tables)])
        return [table.numpy() for table in tables]

    assert_close(train([0, 1]), [*train([0]), *train([1])])


class OfTensorFlow1:
    """`LazyAdamOptimizer` on two tables with one number a row, in a graph."""

    def __init__(self, learning_rate, ids_dtype="int64", dtype="float32"):
        v1 = tf.compat.v1
        self.optimizer = tsc.compat.v1.train.LazyAdamOptimizer(learning_rate)
        self.tables = [v1.get_variable(name, initializer=tf.ones([ROWS], dtype)) for name in "ab"]
        gradients = [
            tf.IndexedSlices(
                tf.constant(values, dtype), tf.constant(ids, ids_dtype), tf.constant([ROWS])
            )
            for ids, values in (([1, 5, 1], [1.0, 2.0, 3.0]), ([2, 5], [0.5, 4.0]))
        ]
        self.train = self.optimizer.apply_gradients(zip(gradients, self.tables))
        self.powers = self.optimizer._get_beta_accumulators()


@pytest.mark.parametrize("ids_dtype", ["int32", "int64"])
@pytest.mark.parametrize("kind", ["number", "tensor", "callable"])
def test_lazy_adam_of_tensorflow_1(kind, ids_dtype):
    """The first steps of Adam are of the size of the learning rate, whatever the gradient's is."""
    rates = {"number": lambda: 0.25, "tensor": lambda: tf.constant(0.25), "callable": lambda: 0.25}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        rate = rates[kind] if kind == "callable" else rates[kind]()
        program = OfTensorFlow1(rate, ids_dtype)
        session.run(tf.compat.v1.global_variables_initializer())
        for step in range(1, 4):
            powers = session.run(program.powers)
            np.testing.assert_allclose(powers, [0.9**step, 0.999**step], rtol=1e-6)
            session.run(program.train)
            a, b = session.run(program.tables)
            expected = np.ones((2, ROWS))
            expected[0, [1, 5]] = expected[1, [2, 5]] = 1 - 0.25 * step
            np.testing.assert_allclose([a, b], expected, rtol=1e-5, atol=1e-5)
