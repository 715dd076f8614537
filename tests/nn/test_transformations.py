"""Transformations of a loss: second derivatives, maps, loops, recomputation, compilation.

The tests of derivatives here are for the composite alone; `test_gradients` has the fused losses.
"""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, dense, loss_and_gradients, problem

pytestmark = pytest.mark.no_op_seeds

P = problem(T=2)
STOCK = {"softmax": tf.nn.sampled_softmax_loss, "nce": tf.nn.nce_loss}
OURS = {"softmax": tsc.nn.sampled_softmax_loss, "nce": tsc.nn.nce_loss}
MORE = {
    **OURS,
    "sparse": lambda **a: tsc.nn.sampled_sparse_softmax_loss(
        **{k: v for k, v in a.items() if k != "num_true"}
    ),
    "rank": lambda **a: tsc.nn.rank_sampled_softmax_loss(num_resampled=4, **a),
}
both = pytest.mark.parametrize("loss", OURS)
on_composite = pytest.mark.usefixtures("composite")
on_each = pytest.mark.usefixtures("implementation")


@pytest.fixture
def composite():
    with tsc.implementation("composite"):
        yield


def call(fn, x, w=None, hits=True, **options):
    w = tf.constant(P.weights) if w is None else w
    return fn(
        weights=w, biases=tf.constant(P.biases), labels=tf.constant(P.labels), inputs=x,
        remove_accidental_hits=hits, **{**P.arguments, **options},
    )  # fmt: skip


@on_composite
@both
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_second_order(loss, mode):
    def hessian_products(fn):
        w, x = tf.Variable(P.weights), tf.Variable(P.inputs)

        def second():
            with tf.GradientTape() as outer:
                with tf.GradientTape() as inner:
                    value = tf.reduce_sum(call(fn, x, w) * P.upstream)
                gw, gx = inner.gradient(value, [w, x])
                mixed = tf.reduce_sum(tf.sin(tf.convert_to_tensor(gw))) + tf.reduce_sum(gx**2)
            return outer.gradient(mixed, [w, x])

        return [dense(g) for g in (tf.function(second) if mode == "function" else second)()]

    for got, want in zip(hessian_products(OURS[loss]), hessian_products(STOCK[loss])):
        assert_close(got, want)


@on_composite
@both
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_jacobian(loss, mode):
    def jacobian(fn):
        x = tf.Variable(P.inputs)

        def compute():
            with tf.GradientTape() as tape:
                value = call(fn, x)
            return tape.jacobian(value, x)

        return (tf.function(compute) if mode == "function" else compute)()

    assert_close(jacobian(OURS[loss]), jacobian(STOCK[loss]))


@on_composite
@both
def test_jacobian_for_the_table(loss):
    def jacobian(fn):
        w = tf.Variable(P.weights)
        with tf.GradientTape(persistent=True) as tape:
            value = call(fn, tf.constant(P.inputs), w)
        return tape.jacobian(value, w, experimental_use_pfor=False)

    assert_close(jacobian(OURS[loss]), jacobian(STOCK[loss]))


@on_composite
@both
def test_eager_forward_mode(loss):
    def jvp(fn):
        x, w = tf.Variable(P.inputs), tf.Variable(P.weights)
        tangents = [tf.ones_like(x), tf.cos(tf.convert_to_tensor(w))]
        with tf.autodiff.ForwardAccumulator([x, w], tangents) as accumulator:
            value = call(fn, x, w)
        return accumulator.jvp(value)

    assert_close(jvp(OURS[loss]), jvp(STOCK[loss]))


@on_composite
@both
def test_forward_over_reverse(loss):
    def hvp(fn):
        x = tf.Variable(P.inputs)
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            with tf.GradientTape() as tape:
                value = call(fn, x)
            gradient = tape.gradient(value, x)
        return accumulator.jvp(gradient)

    assert_close(hvp(OURS[loss]), hvp(STOCK[loss]))


@on_each
@both
def test_custom_gradient(loss):
    def clipped(fn):
        @tf.custom_gradient
        def wrapped(x):
            value = call(fn, x)
            return value, lambda up: up[:, None] * tf.ones_like(x)

        x = tf.Variable(P.inputs)
        with tf.GradientTape() as tape:
            value = wrapped(x)
        return value, tape.gradient(value, x)

    for got, want in zip(clipped(OURS[loss]), clipped(STOCK[loss])):
        assert_close(got, want)


@on_each
@pytest.mark.parametrize("hits", [True, False], ids=["hits removed", "hits kept"])
@both
def test_vectorized_map_over_inputs(loss, hits):
    stack = tf.stack([P.inputs, 2 * P.inputs, -P.inputs])
    mapped = tf.vectorized_map(lambda x: call(OURS[loss], x, hits=hits), stack)
    for got, x in zip(mapped, stack):
        assert_close(got, call(STOCK[loss], x, hits=hits))


@on_each
@both
def test_map_fn_with_gradients(loss):
    stack = tf.Variable(tf.stack([P.inputs, 2 * P.inputs]))
    with tf.GradientTape() as tape:
        mapped = tf.map_fn(lambda x: call(OURS[loss], x), stack)
    gradient = tape.gradient(mapped, stack)
    for i in range(2):
        value, x_gradient = loss_and_gradients(
            STOCK[loss], P.weights, P.biases, tf.constant(P.labels), x := stack[i],
            tf.ones(6), x, remove_accidental_hits=True, **P.arguments,
        )  # fmt: skip
        assert_close(mapped[i], value)
        assert_close(gradient[i], x_gradient)


@on_each
@both
def test_while_loop_with_gradients(loss):
    def descend(fn):
        w, x = tf.Variable(P.weights), tf.Variable(P.inputs)

        @tf.function
        def run():
            with tf.GradientTape() as tape:
                total = tf.constant(0.0)
                for i in tf.range(3):
                    total += tf.reduce_sum(call(fn, x * tf.cast(i, tf.float32), w))
            return [tf.convert_to_tensor(g) for g in tape.gradient(total, [w, x])]

        return run()

    for got, want in zip(descend(OURS[loss]), descend(STOCK[loss])):
        assert_close(got, want)


@on_each
@both
def test_recompute_grad(loss):
    x = tf.Variable(P.inputs)

    def gradient(fn):
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(fn(x))
        return tape.gradient(value, x)

    plain = lambda x: call(OURS[loss], x)  # noqa: E731
    assert_close(gradient(tf.recompute_grad(plain)), gradient(lambda x: call(STOCK[loss], x)))


@pytest.mark.parametrize(
    "repeated, hits, shards",
    [(True, True, 1), (False, True, 1), (False, False, 1), (False, True, 3)],
    ids=["repeated", "unique", "hits kept", "in pieces"],
)
@pytest.mark.parametrize("loss", MORE)
def test_xla_with_fixed_values(loss, repeated, hits, shards):
    p = problem(T=1 if loss == "sparse" else 2, S=16, C=20, repeated=repeated, seed=5)
    tables = [
        [tf.Variable(piece) for piece in np.array_split(a, shards)] for a in (p.weights, p.biases)
    ]
    x = tf.Variable(p.inputs)

    def step(labels, values):
        arguments = {**p.arguments, "sampled_values": values, "partition_strategy": "div"}
        loss_, ((dw, db), dx) = loss_and_gradients(
            MORE[loss], *tables, labels, x, p.upstream, [tables, x], remove_accidental_hits=hits,
            **arguments,
        )  # fmt: skip
        return loss_, [tf.convert_to_tensor(g) for g in (*dw, *db, dx)]

    values = tuple(map(tf.constant, p.arguments["sampled_values"]))
    got = tf.function(step, jit_compile=True)(tf.constant(p.labels), values)
    want = step(tf.constant(p.labels), values)
    for g, w in zip(tf.nest.flatten(got), tf.nest.flatten(want)):
        assert_close(g, w)


@both
def test_xla_gives_a_label_out_of_range_a_nan_loss_of_its_own(loss):
    """TensorFlow silently uses the last class, because XLA clamps indices."""
    labels = P.labels.copy()
    labels[2, 0], labels[4, 1] = 400, -1

    @tf.function(jit_compile=True)
    def compiled(labels):
        return OURS[loss](P.weights, P.biases, labels, P.inputs, **P.arguments)

    assert np.isnan(compiled(labels)).tolist() == [False, False, True, False, True, False]
    want = STOCK[loss](P.weights, P.biases, P.labels, P.inputs, **P.arguments)
    assert_close(compiled(tf.constant(P.labels)), want)
