"""The terms of losses, fused and composite, against float64 NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tests import reference
from tests.problems import assert_close, problem
from tf_sampled_compat.core.backends.cpp_op import FUSED
from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.backends.tensorflow_ops import COMPOSITE

KINDS = ("softmax", "sigmoid")
LOSSES = {"softmax": reference.softmax_loss, "sigmoid": reference.nce_loss}
# All have hits. In the last, each candidate of the first row is one.
PROBLEMS = {
    "T=1": problem(C=9, D=3, B=4, T=1, S=6),
    "T=3": problem(C=9, D=3, B=4, T=3, S=6, seed=1),
    "all hits": problem(C=9, D=3, B=4, T=3, S=3, seed=2),
}
PROBLEMS["all hits"].labels[0] = PROBLEMS["all hits"].sampled
problems = pytest.mark.parametrize("name", PROBLEMS)
kinds = pytest.mark.parametrize("kind", KINDS)
backends = pytest.mark.parametrize("backend", [FUSED, COMPOSITE], ids=["fused", "composite"])


def without_candidates(p):
    return p._replace(sampled=p.sampled[:0], sampled_count=p.sampled_count[:0])


def variables(p, dtype):
    """Returns rows, biases and inputs, the variables to differentiate by."""
    compute = tf.float64 if dtype == tf.float64 else tf.float32
    return [tf.cast(p.weights, dtype), tf.cast(p.biases, compute), tf.cast(p.inputs, dtype)]


def gathered(backend, p, weights, biases, inputs):
    labels, sampled = (tf.constant(a, tf.int64) for a in (p.labels, p.sampled))
    plan = backend.plan(labels, sampled, num_true=labels.shape[1], find_hits=True, unique=True)
    offsets = [-np.log(c.astype("d")) for c in (p.true_count, p.sampled_count)]
    true_offset, sampled_offset = (tf.constant(o, biases.dtype) for o in offsets)
    return Gathered(
        inputs=inputs,
        rows=tf.gather(weights, plan.ids),
        row_biases=tf.gather(biases, plan.ids),
        sampled_positions=plan.sampled_positions,
        true_positions=plan.true_positions,
        hits=plan.hits,
        true_offset=true_offset,
        sampled_offset=sampled_offset,
        num_true=labels.shape[1],
        compute_dtype=biases.dtype,
    )


def terms(backend, p, kind, watched):
    return backend.terms(gathered(backend, p, *watched), kind)


def loss_of(kind, negatives, true_logits):
    """Computes a loss from its terms: log(e^N + Σ e^t) - mean t, or N + Σ (softplus t - t / T)."""
    mean = tf.reduce_mean(true_logits, axis=1)
    if kind == "sigmoid":
        return negatives + tf.reduce_sum(tf.nn.softplus(true_logits), axis=1) - mean
    return tf.reduce_logsumexp(tf.concat([negatives[:, None], true_logits], 1), axis=1) - mean


def orders(p, kind, watched, function):
    """Returns the gradients of `function(*watched)`, and of a function of these gradients."""
    with tf.GradientTape() as outer:
        outer.watch(watched)
        with tf.GradientTape() as inner:
            inner.watch(watched)
            total = tf.reduce_sum(tf.cast(function(*watched), tf.float64) * p.upstream)
        first = [tf.convert_to_tensor(g) for g in inner.gradient(total, watched)]
        wavy = tf.add_n([tf.cast(tf.reduce_sum(tf.sin(g) + g**2), tf.float64) for g in first])
    return first, [tf.convert_to_tensor(g) for g in outer.gradient(wavy, watched)]


@problems
@kinds
@backends
def test_terms_equal_float64_numpy(backend, kind, name):
    p = PROBLEMS[name]
    num_true = p.labels.shape[1]
    logits = reference.logits(p.weights, p.biases, p.labels, p.inputs, p.sampled, p.true_count,
                              p.sampled_count, True)  # fmt: skip
    of_negatives = logits[:, num_true:]
    if kind == "softmax":
        wanted = np.logaddexp.reduce(of_negatives, axis=1)
        assert (name == "all hits") == np.isneginf(wanted[0])
    else:
        wanted = np.logaddexp(0, of_negatives).sum(axis=1)
    for dtype, rtol in ((tf.float32, 2e-6), (tf.float64, 1e-13)):
        negatives, true_logits = terms(backend, p, kind, variables(p, dtype))
        assert np.array_equal(np.isneginf(negatives), np.isneginf(wanted))
        there = np.isfinite(wanted)
        assert_close(negatives.numpy()[there], wanted[there], rtol)
        assert_close(true_logits, logits[:, :num_true], rtol)


@problems
@kinds
@backends
def test_a_loss_made_of_the_terms_is_the_loss(backend, kind, name):
    p = PROBLEMS[name]
    for dtype, rtol in ((tf.float32, 2e-6), (tf.float64, 1e-13)):
        watched = variables(p, dtype)
        wanted, *gradients = reference.evaluate(LOSSES[kind], p, True)
        in_the_open = lambda *w: loss_of(kind, *terms(backend, p, kind, w))  # noqa: E731
        assert_close(in_the_open(*watched), wanted, rtol)
        assert_close(backend.loss(gathered(backend, p, *watched), kind), wanted, rtol)
        first, _ = orders(p, kind, watched, in_the_open)
        for got, want in zip(first, gradients):
            assert_close(got, want, 4 * rtol)


@problems
@kinds
def test_two_orders_of_fused_equal_composite(kind, name):
    p = PROBLEMS[name]
    watched = variables(p, tf.float64)
    results = []
    for backend in (FUSED, COMPOSITE):

        def smooth(*watched, backend=backend):
            return tf.sin(loss_of(kind, *terms(backend, p, kind, watched)))

        results.append(sum(orders(p, kind, watched, smooth), []))
    for got, want in zip(*results):
        assert_close(got, want, 1e-11)


@kinds
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16], ids=lambda d: d.name)
def test_low_precision_is_computed_in_float32(kind, dtype):
    p = PROBLEMS["T=3"]
    got, want = (terms(backend, p, kind, variables(p, dtype)) for backend in (FUSED, COMPOSITE))
    for g, w in zip(got, want):
        assert g.dtype == tf.float32
        assert_close(g, w, 2e-6)


@kinds
@backends
def test_without_candidates(backend, kind):
    p = without_candidates(PROBLEMS["T=3"])
    watched = variables(p, tf.float64)
    negatives, true_logits = terms(backend, p, kind, watched)
    assert np.all(negatives == (-np.inf if kind == "softmax" else 0.0))
    first, second = orders(p, kind, watched, lambda *w: loss_of(kind, *terms(backend, p, kind, w)))
    for gradient in (*first, *second):
        assert np.all(np.isfinite(gradient))


def test_an_unknown_kind_is_neither():
    p = PROBLEMS["T=1"]
    for backend in (FUSED, COMPOSITE):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="kind"):
            terms(backend, p, "nce", variables(p, tf.float32))
