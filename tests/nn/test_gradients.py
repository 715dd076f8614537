"""Derivatives of every order, in every way: fused, composite and stock are equal."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, problem

STOCK = {"softmax": tf.nn.sampled_softmax_loss, "nce": tf.nn.nce_loss}
OURS = {"softmax": tsc.nn.sampled_softmax_loss, "nce": tsc.nn.nce_loss}
WITH_COUNTS = {"softmax": tsc.compat.v0.nn.sampled_softmax_loss, "nce": tsc.compat.v0.nn.nce_loss}
# Accidental hits occur in both, and the last candidates of the second are copies.
pytestmark = pytest.mark.no_op_seeds

PROBLEMS = {1: problem(C=9, D=3, B=4, T=1, S=6), 3: problem(C=9, D=3, B=4, T=3, S=6, seed=1)}
PROBLEMS[3].sampled[:3] = PROBLEMS[3].sampled[3:]

losses = pytest.mark.parametrize("loss", OURS)
num_true = pytest.mark.parametrize("T", PROBLEMS)
# For a sum of squares of second derivatives, each with an error of 1e-6, three times over.
RTOL = 1e-4


def call(fn, p, w, b, x, counts=None):
    values = (p.sampled, *(counts or (p.true_count, p.sampled_count)))
    return fn(
        weights=w, biases=b, labels=tf.constant(p.labels), inputs=x, remove_accidental_hits=True,
        **{**p.arguments, "sampled_values": values},
    )  # fmt: skip


def arrays(p, dtype=np.float32):
    return [a.astype(dtype) for a in (p.weights, p.biases, p.inputs)]


def wavy(gradients):
    """Returns a function of gradients whose derivatives are all non-constant."""
    dense = [tf.convert_to_tensor(g) for g in gradients]
    return tf.add_n([tf.cast(tf.reduce_sum(tf.sin(g) + g**2), tf.float64) for g in dense])


def three_orders(total, watched):
    """Returns the gradients of `total(*watched)`, of a function of them, and of one of those."""
    with tf.GradientTape() as outer:
        outer.watch(watched)
        with tf.GradientTape() as middle:
            middle.watch(watched)
            with tf.GradientTape() as inner:
                inner.watch(watched)
                value = total(*watched)
            first = inner.gradient(value, watched)
            of_first = wavy(first)
        second = middle.gradient(of_first, watched)
        of_second = wavy(second)
    third = outer.gradient(of_second, watched)
    return [tf.convert_to_tensor(g) for g in (*first, *second, *third)]


def weighted(fn, p, w, b, x, counts=None):
    return tf.reduce_sum(tf.cast(call(fn, p, w, b, x, counts), tf.float64) * p.upstream)


def in_eager(fn, p, dtype=np.float32):
    return three_orders(
        functools.partial(weighted, fn, p), list(map(tf.constant, arrays(p, dtype)))
    )


def in_function(fn, p):
    @tf.function(autograph=False)
    def run(*watched):
        return three_orders(functools.partial(weighted, fn, p), list(watched))

    return run(*arrays(p))


def in_graph(fn, p):
    """Computes tf.gradients of tf.gradients, with an unknown batch size."""
    gradients = tf.compat.v1.gradients
    with tf.Graph().as_default() as graph:
        w, b = (tf.compat.v1.placeholder(tf.float32, a.shape) for a in arrays(p)[:2])
        x = tf.compat.v1.placeholder(tf.float32, [None, None])
        watched = [w, b, x]
        first = gradients(weighted(fn, p, *watched), watched)
        second = gradients(wavy(first), watched)
        third = gradients(wavy(second), watched)
        fetches = [tf.convert_to_tensor(g) for g in (*first, *second, *third)]
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(fetches, dict(zip(watched, arrays(p))))


MODES = {"eager": in_eager, "function": in_function, "graph": in_graph}


@functools.cache
def stock_orders(loss, T):
    return in_eager(STOCK[loss], PROBLEMS[T])


def on(implementation, fn):
    """Returns the function with its implementation set whenever it is called or traced."""

    def run(*args, **kwargs):
        with tsc.implementation(implementation):
            return fn(*args, **kwargs)

    return run


@pytest.mark.parametrize("mode, T", [("eager", 1), ("eager", 3), ("function", 3), ("graph", 1)])
@losses
def test_three_orders_equal_stock(loss, mode, T):
    got = MODES[mode](on("fused", OURS[loss]), PROBLEMS[T])
    for g, want in zip(got, stock_orders(loss, T)):
        assert_close(g, want, RTOL)


@num_true
@losses
def test_three_orders_in_float64(loss, T):
    """The precision is float64's, so no step may go through float32."""
    p = PROBLEMS[T]
    wide = p._replace(
        true_count=p.true_count.astype("d"), sampled_count=p.sampled_count.astype("d")
    )
    want = in_eager(STOCK[loss], wide, np.float64)
    for implementation in ("fused", "composite"):
        got = in_eager(on(implementation, OURS[loss]), p, np.float64)
        for g, w in zip(got, want):
            assert g.dtype == tf.float64
            assert_close(g, w, 1e-11)


@pytest.mark.parametrize("table", ["float32", "inputs'"])
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16], ids=lambda d: d.name)
@losses
def test_two_orders_in_mixed_dtypes(loss, dtype, table):
    """Each derivative has the dtype of the tensor that it belongs to."""
    p = PROBLEMS[3]
    w, b, x = arrays(p)
    cast = tf.identity if table == "float32" else lambda a: tf.cast(a, dtype)
    watched = [cast(w), cast(b), tf.cast(x, dtype)]

    def two_orders(fn):
        with tf.GradientTape() as outer:
            outer.watch(watched)
            with tf.GradientTape() as inner:
                inner.watch(watched)
                value = weighted(fn, p, *watched)
            first = inner.gradient(value, watched)
            of_first = wavy(first)
        return [*first, *outer.gradient(of_first, watched)]

    got, want = (two_orders(on(how, OURS[loss])) for how in ("fused", "composite"))
    for g, e, of in zip(got, want, watched * 2):
        assert g.dtype == of.dtype
        g, e = (tf.cast(tf.convert_to_tensor(t), tf.float64) for t in (g, e))
        eps = {tf.float32: 2e-5, tf.float16: 2e-3, tf.bfloat16: 1.6e-2}
        # The first gradient was rounded to 16 bits before it is differentiated again.
        assert_close(g, e, 2 * eps[dtype])


@pytest.mark.parametrize("mode", ["eager", "function"])
@num_true
@losses
def test_three_orders_for_the_counts(loss, T, mode):
    """TensorFlow 0.12 does not stop their gradient. In a function, an op computes the logarithm."""
    p = PROBLEMS[T]
    tables = [tf.constant(a) for a in arrays(p)]

    def orders(implementation):
        fn = on(implementation, WITH_COUNTS[loss])
        total = lambda q, s, x: weighted(fn, p, *tables[:2], x, counts=(q, s))  # noqa: E731
        watched = [tf.constant(p.true_count), tf.constant(p.sampled_count), tables[2]]
        run = functools.partial(three_orders, total)
        return (tf.function(run, autograph=False) if mode == "function" else run)(watched)

    for got, want in zip(orders("fused"), orders("composite")):
        # These derivatives divide by a count of 1e-3 four times: compare with the largest value.
        assert_close(got, want, RTOL)


def hessian(total, x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = total(x)
        gradient = inner.gradient(value, x)
    return outer.jacobian(gradient, x)


def hessian_by_loop(total, x):
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = total(x)
        gradient = inner.gradient(value, x)
    return outer.jacobian(gradient, x, experimental_use_pfor=False)


def forward(total, x):
    with tf.autodiff.ForwardAccumulator(x, tf.cos(x)) as accumulator:
        value = total(x)
    return accumulator.jvp(value)


def forward_over_reverse(total, x):
    with tf.autodiff.ForwardAccumulator(x, tf.cos(x)) as accumulator:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = total(x)
        gradient = tf.convert_to_tensor(tape.gradient(value, x))
    return accumulator.jvp(gradient)


def reverse_over_forward(total, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        tangent = forward(total, x)
    return tf.convert_to_tensor(tape.gradient(tangent, x))


def forward_over_forward(total, x):
    with tf.autodiff.ForwardAccumulator(x, tf.sin(x)) as accumulator:
        tangent = forward(total, x)
    return accumulator.jvp(tangent)


WAYS = [
    (hessian, "inputs"),
    (hessian, "biases"),
    (hessian_by_loop, "weights"),
    (forward, "weights"),
    (forward, "biases"),
    (forward_over_reverse, "weights"),
    (forward_over_reverse, "inputs"),
    (reverse_over_forward, "inputs"),
    (forward_over_forward, "inputs"),
]


@pytest.mark.parametrize("way, argument", WAYS, ids=lambda w: getattr(w, "__name__", w))
@losses
def test_ways_of_differentiating(loss, way, argument):
    p = PROBLEMS[3]
    index = ["weights", "biases", "inputs"].index(argument)

    def run(fn):
        def total(x):
            tables = list(map(tf.constant, arrays(p)))
            tables[index] = x
            return weighted(fn, p, *tables)

        return tf.convert_to_tensor(way(total, tf.constant(arrays(p)[index])))

    assert_close(run(on("fused", OURS[loss])), run(STOCK[loss]), RTOL)


@losses
def test_a_few_rows_of_a_gradient(loss):
    """The second gradient for a gathered gradient is an IndexedSlices, not a tensor."""
    p = PROBLEMS[1]

    def second(fn):
        w, b, x = map(tf.Variable, arrays(p))
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                value = weighted(fn, p, w, b, x)
            gw, gx = inner.gradient(value, [w, x])
            some = tf.gather(tf.convert_to_tensor(gw), p.sampled[:2])
            total = tf.reduce_sum(some**2) + tf.reduce_sum(tf.gather(gx, [1, 1]) ** 2)
        return [tf.convert_to_tensor(g) for g in outer.gradient(total, [w, x])]

    for got, want in zip(second(on("fused", OURS[loss])), second(STOCK[loss])):
        assert_close(got, want, RTOL)


@losses
def test_an_empty_batch_has_two_orders(loss):
    p = PROBLEMS[1]
    empty = p._replace(labels=p.labels[:0], inputs=p.inputs[:0], true_count=p.true_count[:0],
                       upstream=p.upstream[:0])  # fmt: skip
    for gradient in in_eager(on("fused", OURS[loss]), empty):
        assert not np.any(gradient)
