"""Many callers at once: threads, nested functions, parallel maps."""

import concurrent.futures
import functools
import threading

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, dense, loss_and_gradients, problem

pytestmark = [pytest.mark.usefixtures("implementation"), pytest.mark.no_op_seeds]
THREADS = 16
PROBLEMS = [problem(C=60, D=12, B=20 + i, T=2, S=30, seed=i) for i in range(THREADS)]
CALLS = {
    "softmax": lambda **a: tsc.nn.sampled_softmax_loss(**a),
    "rank": lambda **a: tsc.nn.rank_sampled_softmax_loss(num_resampled=9, **a),
    "full": lambda **a: tsc.nn.full_softmax_loss(
        **{k: v for k, v in a.items() if k not in ("num_sampled", "sampled_values")}
    ),
}


def step(name, p, implementation):
    """Returns a loss and its gradients by table, biases and inputs."""
    w, b, x = (tf.constant(a) for a in (p.weights, p.biases, p.inputs))
    loss, gradients = loss_and_gradients(
        CALLS[name], w, b, p.labels, x, p.upstream, [w, b, x], implementation=implementation,
        **p.arguments,
    )  # fmt: skip
    return [loss, *gradients]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_sixteen_threads_get_the_bits_that_each_gets_alone(name, mode, implementation):
    calls = [functools.partial(step, name, p, implementation) for p in PROBLEMS]
    if mode == "function":
        calls = [tf.function(call, autograph=False) for call in calls]

    def compute(i):
        return [dense(tf.convert_to_tensor(each)) for each in calls[i]()]

    # The threads trace half of the functions, all at once.
    alone = {i: compute(i) for i in range(0, THREADS, 1 + (mode == "function"))}
    together = threading.Barrier(THREADS)

    def work(i):
        together.wait()
        return [compute(i) for _ in range(3)]

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(work, range(THREADS)))
        for i, results in enumerate(found):
            mine = alone[i] if i in alone else compute(i)
            for result in results:
                for got, want in zip(result, mine):
                    # TensorFlow's own sums may take another order; the op's never do.
                    if implementation == "fused":
                        assert np.array_equal(got, want)
                    else:
                        assert_close(got, want)


def test_nested_functions(implementation):
    p = PROBLEMS[0]
    want = [dense(tf.convert_to_tensor(each)) for each in step("softmax", p, implementation)]

    @tf.function
    def inner(x):
        return tsc.nn.sampled_softmax_loss(p.weights, p.biases, p.labels, x, **p.arguments)

    @tf.function
    def middle(x, times):
        return inner(x) if times == 0 else middle(x, times - 1)

    @tf.function
    def outer(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = middle(x, 3)
            total = tf.reduce_sum(loss * p.upstream)
        return loss, tape.gradient(total, x)

    loss, gradient = outer(tf.constant(p.inputs))
    assert_close(loss, want[0])
    assert_close(gradient, want[3])


@pytest.mark.parametrize("deterministic", [True, False])
def test_parallel_calls_of_a_dataset(deterministic, implementation):
    p = problem(C=60, D=12, B=8, T=1, S=30)
    inputs = np.random.RandomState(0).randn(200, 8, 12).astype("f")

    def loss(i, x):
        return i, tsc.nn.nce_loss(p.weights, p.biases, p.labels, x, **p.arguments)

    data = tf.data.Dataset.from_tensor_slices((np.arange(200), inputs))
    mapped = data.map(loss, num_parallel_calls=8, deterministic=deterministic)
    found = {int(i): value.numpy() for i, value in mapped}
    assert sorted(found) == list(range(200))
    for i in range(0, 200, 19):
        assert_close(found[i], loss(i, tf.constant(inputs[i]))[1])


def test_an_error_in_one_of_many_threads_is_its_own(implementation):
    p = PROBLEMS[0]
    bad = p._replace(labels=p.labels + 60)

    def work(i):
        if i % 4:
            return step("softmax", p, implementation)[0].numpy()
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels: expected class ids"):
            step("softmax", bad, implementation)

    want = work(1)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for got in pool.map(work, range(64)):
            assert got is None or np.allclose(got, want, rtol=1e-5)
