"""`compat.v1.train.LazyAdamOptimizer`, against Adam by hand and against `AdamOptimizer`."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

v1 = tf.compat.v1
ROWS, DIM, STEPS = 12, 3, 4
INITIAL = np.random.default_rng(0).normal(size=(ROWS, DIM)).astype("float32")
# `inspect.getfullargspec(tf.contrib.opt.LazyAdamOptimizer.__init__)` in TensorFlow 1.15.5.
RECORDED = {
    "learning_rate": 0.001,
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-08,
    "use_locking": False,
    "name": "Adam",
}


def occurring(step):
    """Returns the ids of a step; some occur twice."""
    return np.random.default_rng(step).integers(0, ROWS - 4, 6)


def factors(step):
    return np.random.default_rng(100 + step).normal(size=(6, DIM)).astype("float32")


def lazy_adam(steps, lr=0.1, b1=0.8, b2=0.9, epsilon=1e-3):
    """Returns w, m and v after `steps` steps, computed number by number in float64."""
    w, m, v = INITIAL.astype("float64"), np.zeros((ROWS, DIM)), np.zeros((ROWS, DIM))
    for t in range(1, steps + 1):
        sums = {}
        for row, numbers in zip(occurring(t), factors(t)):
            sums[row] = sums.get(row, 0) + numbers.astype("float64")
        for row, g in sums.items():
            for d in range(DIM):
                m[row, d] = b1 * m[row, d] + (1 - b1) * g[d]
                v[row, d] = b2 * v[row, d] + (1 - b2) * g[d] ** 2
                rate = lr * np.sqrt(1 - b2**t) / (1 - b1**t)
                w[row, d] -= rate * m[row, d] / (np.sqrt(v[row, d]) + epsilon)
    return w, m, v


OPTIONS = {"learning_rate": 0.1, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}


class Program:
    """A TF 1 program: a table, a loss that looks rows up, and a training op."""

    def __init__(self, optimizer, *, use_resource=True, pieces=1, dense=False, dtype="float32"):
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.ids = v1.placeholder(tf.int64, [None])
            self.factors = v1.placeholder(tf.float32, [None, DIM])
            partitioner = v1.fixed_size_partitioner(pieces) if pieces > 1 else None
            self.table = v1.get_variable(
                "table",
                [ROWS, DIM],
                dtype,
                initializer=v1.zeros_initializer(),
                partitioner=partitioner,
                use_resource=use_resource,
            )
            if dense:
                rows = tf.one_hot(self.ids, ROWS) @ self.table
            else:
                rows = tf.nn.embedding_lookup(self.table, self.ids)
            loss = tf.reduce_sum(tf.cast(rows, tf.float32) * self.factors)
            self.optimizer = optimizer()
            self.train = self.optimizer.minimize(loss)
            self.saver = v1.train.Saver()
            with tf.control_dependencies([v1.global_variables_initializer()]):
                values = tf.split(tf.constant(INITIAL), pieces)
                self.initialize = [
                    v1.assign(piece, tf.cast(value, dtype))
                    for piece, value in zip(self.pieces(), values)
                ]
            self.whole = tf.convert_to_tensor(self.table)
            self.slots = [
                tf.concat([self.optimizer.get_slot(piece, name) for piece in self.pieces()], 0)
                for name in ("m", "v")
            ]

    def pieces(self):
        return list(self.table) if hasattr(self.table, "_variable_list") else [self.table]

    def run(self, session, steps):
        for step in steps:
            ids, numbers = (
                (occurring(step), factors(step)) if step else (np.arange(ROWS), 1 + INITIAL)
            )
            session.run(self.train, {self.ids: ids, self.factors: numbers})
        return session.run([self.whole, *self.slots])

    def trained(self, steps):
        with v1.Session(graph=self.graph) as session:
            session.run(self.initialize)
            return self.run(session, steps)


def ours(**options):
    return lambda: tsc.compat.v1.train.LazyAdamOptimizer(**{**OPTIONS, **options})


KINDS = [
    pytest.param({"use_resource": True}, id="resource"),
    pytest.param({"use_resource": False}, id="ref"),
    pytest.param({"use_resource": True, "pieces": 3}, id="partitioned"),
    pytest.param({"use_resource": False, "pieces": 3}, id="partitioned ref"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use_locking", [False, True])
def test_it_is_lazy_adam(kind, use_locking):
    results = Program(ours(use_locking=use_locking), **kind).trained(range(1, STEPS + 1))
    for result, expected in zip(results, lazy_adam(STEPS)):
        np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-6)
    np.testing.assert_array_equal(results[0][-4:], INITIAL[-4:])
    assert not results[1][-4:].any() and not results[2][-4:].any()


@pytest.mark.parametrize("use_resource", [True, False])
def test_dense_gradients_are_adams(use_resource):
    programs = [
        Program(optimizer, use_resource=use_resource, dense=True)
        for optimizer in (ours(), lambda: v1.train.AdamOptimizer(**OPTIONS))
    ]
    for one, other in zip(*(program.trained(range(1, STEPS + 1)) for program in programs)):
        np.testing.assert_array_equal(one, other)


def test_with_every_row_it_is_adam():
    programs = [Program(each) for each in (ours(), lambda: v1.train.AdamOptimizer(**OPTIONS))]
    for one, other in zip(*(program.trained([0, 0, 0]) for program in programs)):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_checkpoints_go_both_ways(kind, tmp_path):
    def dense():
        return v1.train.AdamOptimizer(**OPTIONS)

    for source, target in ((ours(), dense), (dense, ours())):
        source, target = Program(source, **kind), Program(target, **kind)
        with v1.Session(graph=source.graph) as session:
            session.run(source.initialize)
            source.run(session, [0, 0])
            path = source.saver.save(session, str(tmp_path / "c"))
            expected = source.run(session, [0])
        with v1.Session(graph=target.graph) as session:
            target.saver.restore(session, path)
            for one, other in zip(target.run(session, [0]), expected):
                np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_dtypes(dtype):
    results = Program(ours(), dtype=dtype).trained(range(1, STEPS + 1))
    epsilon = {"float64": 1e-6, "float16": 2.0**-10, "bfloat16": 2.0**-7}[dtype]
    for result, expected in zip(results, lazy_adam(STEPS)):
        error = np.abs(np.float64(result) - expected).max()
        assert error <= 5 * epsilon * np.abs(expected).max()


def test_eager_and_tf_function():
    table = tf.Variable(INITIAL)
    optimizer = ours()()

    @tf.function
    def step(ids, numbers):
        gradient = tf.IndexedSlices(numbers, ids, tf.constant([ROWS, DIM], tf.int64))
        optimizer.apply_gradients([(gradient, table)])

    for each in range(1, STEPS + 1):
        run = step if each > 1 else step.python_function
        run(tf.constant(occurring(each)), tf.constant(factors(each)))
    np.testing.assert_allclose(table.numpy(), lazy_adam(STEPS)[0], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("use_resource", [True, False])
def test_no_op_makes_a_whole_table(use_resource):
    """Only ops that pass on a ref variable's output without a copy may have the table's size."""
    graph = Program(ours(), use_resource=use_resource).graph
    found = {
        op.type
        for op in graph.get_operations()
        if op.name.startswith("Adam/update_table")
        for tensor in op.outputs
        if tensor.dtype.base_dtype == tf.float32 and tensor.shape.rank == 2
        and tensor.shape[0] == ROWS
    }  # fmt: skip
    assert found <= (set() if use_resource else {"ScatterAdd"})


def test_the_signature_is_that_of_tensorflow_1_15():
    parameters = inspect.signature(tsc.compat.v1.train.LazyAdamOptimizer).parameters
    assert {name: each.default for name, each in parameters.items()} == RECORDED
    assert list(parameters) == list(RECORDED)
    assert issubclass(tsc.compat.v1.train.LazyAdamOptimizer, v1.train.AdamOptimizer)
