"""The losses compiled by XLA with their default samplers: the draws of each step."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, loss_and_gradients, problem

P = problem(T=2, S=12)
SIZES = {"num_sampled": 12, "num_classes": 50}
LOSSES = {
    "softmax": tsc.nn.sampled_softmax_loss,
    "nce": tsc.nn.nce_loss,
    "sparse": tsc.nn.sampled_sparse_softmax_loss,
}
# TensorFlow's global seed if none is set; see tf.compat.v1.get_seed.
NO_GLOBAL_SEED = 87654321
each = pytest.mark.parametrize("loss", LOSSES)


def labels_of(loss):
    return tf.constant(P.labels[:, :1] if loss == "sparse" else P.labels)


def call(loss, tables, labels, x, **more):
    if loss == "sparse":
        more["partition_strategy"] = "div"
    else:
        more["num_true"] = 2
    return LOSSES[loss](*tables, labels, x, **SIZES, **more)


def step_with_gradients(loss, tables, x, labels, **more):
    def fn(weights, biases, labels, inputs):
        return call(loss, (weights, biases), labels, inputs, **more)

    value, ((dw, db), dx) = loss_and_gradients(fn, *tables, labels, x, P.upstream, [tables, x])
    return value, [tf.convert_to_tensor(g) for g in (dw, db, dx)]


def drawn(labels, seed, step, global_seed=NO_GLOBAL_SEED):
    """Returns XLA's draws for a seed and step, computed eagerly by the documented seed."""
    return tsc.random.stateless_log_uniform_candidate_sampler(
        labels, labels.shape[1], 12, True, 50, [global_seed * 2**32 + seed, step]
    )


@pytest.mark.parametrize("hits", [True, False], ids=["hits removed", "hits kept"])
@each
def test_losses_and_gradients_are_those_of_the_documented_draws(loss, hits):
    tables, x = (tf.Variable(P.weights), tf.Variable(P.biases)), tf.Variable(P.inputs)
    labels, options = labels_of(loss), {"remove_accidental_hits": hits}

    @tf.function(jit_compile=True)
    def compiled(labels):
        return step_with_gradients(loss, tables, x, labels, seed=7, **options)

    for step in range(3):
        got = compiled(labels)
        want = step_with_gradients(
            loss, tables, x, labels, sampled_values=drawn(labels, 7, step),
            implementation="composite", **options,
        )  # fmt: skip
        for g, w in zip(tf.nest.flatten(got), tf.nest.flatten(want)):
            assert_close(g, w)


def compiled_loss(seed):
    @tf.function(jit_compile=True)
    def compiled(inputs):
        labels = P.labels[: inputs.shape[0]]
        return call("softmax", (P.weights, P.biases), labels, inputs, seed=seed)

    return compiled


def steps(function, n=4):
    return [function(P.inputs).numpy().tolist() for _ in range(n)]


def all_differ(losses):
    return all(a != b for i, a in enumerate(losses) for b in losses[:i])


def test_each_step_draws_anew_and_the_seed_repeats_them():
    first, again, other = (steps(compiled_loss(seed)) for seed in (7, 7, 8))
    assert all_differ(first) and first == again
    assert all_differ(first + other)


def test_without_a_seed_it_is_random():
    first, again = steps(compiled_loss(None)), steps(compiled_loss(None))
    assert all_differ(first + again)


def test_the_global_seed_alone_repeats_them():
    def run():
        tf.random.set_seed(5)
        return steps(compiled_loss(None))

    first, again = run(), run()
    assert all_differ(first) and first == again
    tf.random.set_seed(6)
    assert all_differ(first + steps(compiled_loss(None)))


def test_the_global_seed_counts_beside_an_operation_seed():
    tf.random.set_seed(5)
    got = compiled_loss(7)(P.inputs)
    values = drawn(tf.constant(P.labels), 7, 0, global_seed=5)
    assert_close(
        got,
        call("softmax", (P.weights, P.biases), P.labels, P.inputs, sampled_values=values),
    )


def test_a_function_traced_anew_counts_anew():
    """A new trace starts its own count, like TensorFlow's kernel; the first trace continues."""
    compiled = compiled_loss(7)
    whole = steps(compiled, 2)
    values = drawn(tf.constant(P.labels[:3]), 7, 0)
    tables, labels, inputs = (P.weights, P.biases), P.labels[:3], P.inputs[:3]
    assert_close(compiled(inputs), call("softmax", tables, labels, inputs, sampled_values=values))
    assert all_differ(whole + steps(compiled, 2))
    assert compiled.experimental_get_tracing_count() == 2


def test_inside_larger_functions():
    """In a nested function or a compiled loop, each iteration makes the next draw."""

    @tf.function
    def inner(inputs):
        return call("softmax", (P.weights, P.biases), P.labels, inputs, seed=7)

    @tf.function(jit_compile=True)
    def outer(inputs):
        losses = tf.TensorArray(tf.float32, 3, element_shape=[6])
        for i in tf.range(3):
            losses = losses.write(i, inner(inputs))
        return losses.stack()

    apart = steps(compiled_loss(7), 7)
    assert_close(outer(tf.constant(P.inputs)), apart[:3])
    assert_close(outer(tf.constant(P.inputs)), apart[3:6])
    # TensorFlow may use the same trace without compilation, so it must work there too.
    assert_close(inner(tf.constant(P.inputs)), apart[6])
    assert inner.experimental_get_tracing_count() == 1


def test_two_losses_of_a_function_draw_for_themselves():
    @tf.function(jit_compile=True)
    def compiled():
        arguments = ((P.weights, P.biases), P.labels, P.inputs)
        return call("softmax", *arguments), call("softmax", *arguments)

    one, two = compiled()
    assert (one.numpy() != two.numpy()).any()


@each
def test_a_label_out_of_range_is_a_nan_loss_of_its_own(loss):
    labels = labels_of(loss).numpy()
    labels[2, 0], labels[4, -1] = 50, -1

    @tf.function(jit_compile=True)
    def compiled(labels):
        return call(loss, (P.weights, P.biases), labels, P.inputs, seed=7)

    assert np.isnan(compiled(tf.constant(labels))).tolist() == [
        False, False, True, False, True, False
    ]  # fmt: skip


def test_tapas_names_the_sampler_that_it_needs():
    @tf.function(jit_compile=True)
    def compiled():
        return tsc.nn.rank_sampled_softmax_loss(
            P.weights, P.biases, P.labels, P.inputs, num_resampled=4, num_true=2, **SIZES
        )

    with pytest.raises(tf.errors.InvalidArgumentError, match="LearnedUnigramSampler"):
        compiled()


def test_tapas_with_stateless_candidates():
    def step(seed, **more):
        values = tsc.random.stateless_learned_unigram_candidate_sampler(
            P.labels, 2, 12, True, 50, seed, counts=tf.range(1, 51)
        )
        return tsc.nn.rank_sampled_softmax_loss(
            P.weights, P.biases, P.labels, P.inputs, num_resampled=4, num_true=2,
            sampled_values=values, **SIZES, **more,
        )  # fmt: skip

    compiled = tf.function(step, jit_compile=True)
    for n in range(3):
        seed = tf.constant([n, 0], tf.int64)
        assert_close(compiled(seed), step(seed, implementation="composite"))
