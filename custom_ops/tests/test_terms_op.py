"""The terms of losses: the sum over the negatives, and the true classes' logits."""

import numpy as np
import pytest
import tensorflow as tf
from ops_problem import KINDS, Problem, assert_close

SIZES = {
    "usual": {},
    "one": {"batch": 1, "num_true": 1, "num_sampled": 1, "dim": 1},
    "tiles": {"batch": 130, "num_sampled": 257},
    "no negatives": {"num_sampled": 0},
    "no rows": {"batch": 0},
}


def made(**size):
    """Makes a problem in which each label of the last row is a hit, if there are candidates."""
    no_negatives, no_rows = size.get("num_sampled") == 0, size.get("batch") == 0
    problem = Problem(**{**size, **({"num_sampled": 1} if no_negatives else {}),
                         **({"batch": 1} if no_rows else {})})  # fmt: skip
    if no_negatives:
        problem.num_sampled = 0
        problem.sampled, problem.sampled_count = problem.sampled[:0], problem.sampled_count[:0]
    if no_rows:
        for name in ("inputs", "labels", "true_count", "upstream"):
            setattr(problem, name, getattr(problem, name)[:0])
    return problem


def naive(problem, kind, d_negatives, d_true_logits):
    """Computes the terms and their gradients by inputs, weights, biases row by row in float64."""
    p = problem
    negatives, true_logits = np.zeros(len(p.inputs)), np.zeros(p.labels.shape)
    d_inputs, d_weights = np.zeros_like(p.inputs), np.zeros_like(p.weights)
    d_biases = np.zeros_like(p.biases)
    last = {int(c): s for s, c in enumerate(p.sampled)}
    for b, x in enumerate(p.inputs):
        hits = {last[int(c)] for c in p.labels[b] if int(c) in last}
        keep = [s for s in range(p.num_sampled) if s not in hits]
        true, ids = p.labels[b], p.sampled[keep]
        true_logits[b] = p.weights[true] @ x + p.biases[true] - np.log(p.true_count[b])
        logits = p.weights[ids] @ x + p.biases[ids] - np.log(p.sampled_count[keep])
        if kind == "softmax":
            negatives[b] = np.logaddexp.reduce(logits, initial=-np.inf)
            g = np.exp(logits - negatives[b])
        else:
            negatives[b] = np.logaddexp(0, logits).sum()
            g = 1 / (1 + np.exp(-logits))
        for c, gradient in zip((*true, *ids), (*d_true_logits[b], *(g * d_negatives[b]))):
            d_inputs[b] += gradient * p.weights[c]
            d_weights[c] += gradient * x
            d_biases[c] += gradient
    return negatives, true_logits, d_inputs, d_weights, d_biases


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("dtype, rtol", [(tf.float32, 2e-6), (tf.float64, 1e-13)])
def test_terms_against_numpy(ops, kind, size, keep, dtype, rtol):
    problem = made(**SIZES[size])
    plan = problem.plan(ops)
    arguments = problem.arguments(ops, plan, dtype)
    out = ops.sampled_compat_sampled_terms(*arguments, kind=kind, keep=keep)
    rng = np.random.default_rng(1)
    d_true_logits = rng.normal(size=problem.labels.shape)
    grads = ops.sampled_compat_sampled_terms_grad(
        *arguments, out.normalizer, out.kept, tf.cast(problem.upstream, dtype),
        tf.cast(d_true_logits, dtype), kind=kind,
    )  # fmt: skip
    wanted = naive(problem, kind, problem.upstream, d_true_logits)
    ids = plan.unique_ids.numpy()
    there = np.isfinite(wanted[0])
    assert np.array_equal(np.isfinite(out.negatives), there)
    assert np.all(out.negatives.numpy()[~there] == -np.inf)
    assert_close(out.negatives.numpy()[there], wanted[0][there], rtol)
    assert_close(out.true_logits, wanted[1], rtol)
    assert_close(grads.d_inputs, wanted[2], rtol)
    assert_close(grads.d_rows, wanted[3][ids], rtol)
    assert_close(grads.d_biases, wanted[4][ids], rtol)
    assert np.array_equal(grads.d_true_offset, tf.cast(d_true_logits, dtype))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
def test_the_loss_is_made_of_its_terms(ops, kind, dtype):
    problem = Problem(batch=130, num_sampled=257)
    arguments = problem.arguments(ops, problem.plan(ops), dtype)
    loss = ops.sampled_compat_sampled_loss(*arguments, kind=kind).loss
    terms = ops.sampled_compat_sampled_terms(*arguments, kind=kind)
    n, t = (tf.cast(term, tf.float64) for term in terms[:2])
    if kind == "softmax":
        all_of_them = tf.concat([n[:, None], t], axis=1)
        wanted = tf.reduce_logsumexp(all_of_them, axis=1) - tf.reduce_mean(t, axis=1)
    else:
        wanted = n + tf.reduce_sum(tf.nn.softplus(t) - t / problem.num_true, axis=1)
    assert_close(loss, wanted.numpy(), 1e-14 if dtype == tf.float64 else 1e-6)


@pytest.mark.parametrize("keep", [True, False])
def test_a_row_whose_negatives_are_all_hits_passes_nothing_to_them(ops, keep):
    """The term does not depend on them, so its upstream gradient is ignored, even 0 / 0."""
    problem = Problem(batch=3, num_true=2, num_sampled=2, dim=4)
    problem.labels[1] = problem.sampled
    arguments = problem.arguments(ops, problem.plan(ops))
    out = ops.sampled_compat_sampled_terms(*arguments, kind="softmax", keep=keep)
    assert out.negatives[1] == -np.inf and np.isfinite(out.negatives[0])
    upstream = tf.constant([0, np.nan, 0], tf.float32)
    grads = ops.sampled_compat_sampled_terms_grad(
        *arguments, out.normalizer, out.kept, upstream, tf.zeros([3, 2]), kind="softmax"
    )
    for grad in grads:
        assert not np.any(grad)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_row(ops, kind, bad):
    problem = Problem(batch=40)
    problem.inputs[7, 2] = bad
    arguments = problem.arguments(ops, problem.plan(ops))
    negatives = ops.sampled_compat_sampled_terms(*arguments, kind=kind).negatives
    assert np.array_equal(np.isnan(negatives), np.arange(40) == 7)


def test_shapes_known_when_tracing(ops):
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))

    @tf.function
    def trace(*arguments):
        out = ops.sampled_compat_sampled_terms(*arguments, kind="sigmoid")
        assert out.negatives.shape == arguments[0].shape[:1]
        assert out.true_logits.shape == arguments[4].shape
        grads = ops.sampled_compat_sampled_terms_grad(
            *arguments, out.normalizer, out.kept, *out[:2], kind="sigmoid"
        )
        for grad, index in zip(grads, (0, 1, 2, 6, 7)):
            assert grad.shape == arguments[index].shape
        return out.negatives

    trace(*arguments)


def test_gradient_refuses_other_shapes(ops):
    problem = Problem()
    arguments = problem.arguments(ops, problem.plan(ops))
    out = ops.sampled_compat_sampled_terms(*arguments, kind="softmax")
    good = {"d_negatives": out.negatives, "d_true_logits": out.true_logits}
    for name, tensor in good.items():
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name} must have shape"):
            ops.sampled_compat_sampled_terms_grad(
                *arguments, out.normalizer, out.kept, kind="softmax", **{**good, name: tensor[1:]}
            )
