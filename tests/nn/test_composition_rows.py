"""The terms where rows differ: padding, weights of parts, missing candidates; 16 bits, zeros."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import composed_reference
from tests.composed_problem import assert_same, case, got
from tests.problems import assert_close
from tf_sampled_compat.core.losses.description import (
    Arguments,
    Composition,
    SampledLoss,
    Sampling,
)
from tf_sampled_compat.core.losses.full import full_loss
from tf_sampled_compat.core.losses.sampled import sampled_loss

pytestmark = pytest.mark.no_op_seeds

MASK = np.array([[1, 1], [0, 1], [0, 0], [1, 0]], bool)
PART_WEIGHTS = np.array([[0.5, 2.0], [1.0, 3.0], [1.0, 1.0], [0.25, 9.0]])
SMOOTHING = 0.2


def expected(reference, p):
    arrays = [np.asarray(a, np.float64) for a in (p.weights, p.biases, p.inputs)]
    return reference(*arrays), composed_reference.gradients(reference, arrays, p.upstream)


def arguments_of(weights, biases, labels, inputs):
    return Arguments(
        weights=weights, biases=biases, labels=tf.constant(labels), inputs=inputs, num_true=2,
        temperature=0.3, true_mask=tf.constant(MASK), part_weights=PART_WEIGHTS)  # fmt: skip


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_parts_of_a_row(kind, implementation):
    """Equal shares of the true classes that are there, times the weight of each part."""
    p = case()

    def reference(weights, biases, inputs):
        return composed_reference.sampled(
            kind, weights, biases, p.labels, inputs, p.sampled, p.true_count, p.sampled_count,
            hits="last", mask=MASK, part_weights=PART_WEIGHTS, temperature=0.3,
            label_smoothing=SMOOTHING)  # fmt: skip

    def loss(*tensors, num_sampled, num_classes, num_true, sampled_values):
        del num_true
        sampling = Sampling(
            num_sampled=num_sampled, num_classes=num_classes, sampled_values=sampled_values
        )
        return sampled_loss(
            SampledLoss(
                function="nce_loss",
                kind=kind,
                arguments=arguments_of(*tensors),
                sampling=sampling,
                remove_accidental_hits=True,
                composition=Composition(label_smoothing=SMOOTHING),
            )
        )

    assert_same(got(loss, p), expected(reference, p), 1e-7)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_parts_of_a_row_over_all_classes(kind, implementation):
    p = case()

    def reference(weights, biases, inputs):
        return composed_reference.full(
            kind, weights, biases, p.labels, inputs, mask=MASK, part_weights=PART_WEIGHTS,
            temperature=0.3, label_smoothing=SMOOTHING)  # fmt: skip

    def loss(*tensors, **_):
        composition = Composition(label_smoothing=SMOOTHING)
        return full_loss(kind, arguments_of(*tensors), composition=composition)

    result = got(loss, p)
    assert_same(result, expected(reference, p), 1e-7)
    if kind == "softmax":
        assert result[0][2] == 0, "a row without a true class costs nothing"


class FewerThanAsked:
    """Gives two candidates. Under XLA the shape is fixed, and -1 stands for those that lack."""

    takes_mask = draws_fewer = True

    def __call__(self, true_classes, num_true, num_sampled, unique, range_max, seed, mask):
        del num_true, unique, range_max, seed, mask
        true_count = tf.fill(tf.shape(true_classes), 0.5)
        lacking = num_sampled - 2
        return (
            tf.constant([2, 5] + [-1] * lacking, tf.int64),
            true_count,
            tf.constant([0.5, 0.25] + [1.0] * lacking),
        )


def test_missing_candidates_have_no_share_in_the_mean_logit():
    p = case()
    labels = np.where(MASK, p.labels, -1)
    options = {"padding_label": -1, "label_smoothing": SMOOTHING, "remove_accidental_hits": False}

    @tf.function(jit_compile=True, autograph=False)
    def step():
        return tsc.nn.sampled_softmax_loss(
            p.weights, p.biases, labels, p.inputs, 6, 9, 2, sampler=FewerThanAsked(),
            **options)  # fmt: skip

    values = [2, 5], np.full([4, 2], 0.5, "f"), np.array([0.5, 0.25], "f")
    wanted = tsc.nn.sampled_softmax_loss(
        p.weights, p.biases, labels, p.inputs, 2, 9, 2, values, **options)  # fmt: skip
    assert_close(step(), wanted, 1e-5)


def test_scaling_is_not_done_in_16_bits(implementation):
    """Neither the square of a norm nor the quotient by the temperature fits into a float16."""
    p = case()
    inputs = np.float16(p.inputs)

    def loss(inputs, weights=p.weights, **options):
        return tsc.nn.sampled_softmax_loss(
            weights, np.zeros(9), p.labels, inputs, **p.arguments, **options
        )

    small, large = loss(inputs, normalize=True), loss(inputs * np.float16(4096), normalize=True)
    np.testing.assert_array_equal(small, large)
    weights = p.weights / np.float32(2**18)
    scaled = loss(inputs * np.float16(512), weights, temperature=1 / 512)
    assert_close(scaled, loss(inputs, p.weights), 2e-3)


# The gradient by a zero vector is as large as one over 1e-12, too large for a float16.
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_zero_vectors_have_a_cosine_and_a_gradient(kind, dtype, implementation):
    p = case()
    p = p._replace(weights=p.weights.copy(), inputs=p.inputs.copy())
    p.weights[2], p.inputs[1] = 0, 0
    loss = tsc.nn.sampled_softmax_loss if kind == "softmax" else tsc.nn.nce_loss
    margin = tsc.margins.ArcFace(0.4)
    values, gradients = got(loss, p, dtype, normalize=True, margin=margin, label_smoothing=0.1)
    assert np.isfinite(values).all() and all(np.isfinite(g).all() for g in gradients)


def test_a_cosine_is_that_of_short_vectors_too(implementation):
    p, options = case(), {"normalize": True, "temperature": 0.1}
    short = p._replace(weights=p.weights * 1e-7, inputs=p.inputs * 1e-7)
    loss = tsc.nn.sampled_softmax_loss
    assert_close(got(loss, short, "float64", **options)[0], got(loss, p, "float64", **options)[0],
                 1e-6)  # fmt: skip


@pytest.mark.parametrize("m", [0.4, 3.0])
def test_a_cosine_of_one_has_a_finite_gradient(m, implementation):
    """The angle of 0 has no derivative: cosines are kept within ±(1 - 1e-7)."""
    p = case()
    p = p._replace(inputs=p.weights[p.labels[:, 0]].copy())
    p.inputs[1] *= -1
    for dtype in ("float32", "float64"):
        options = {"normalize": True, "margin": tsc.margins.ArcFace(m), "temperature": 0.1}
        values, gradients = got(tsc.nn.sampled_softmax_loss, p, dtype, **options)
        assert np.isfinite(values).all() and all(np.isfinite(g).all() for g in gradients)


def test_a_margin_is_exact_near_a_cosine_of_one():
    cosines = 1 - np.array([1e-6, 1e-4, 1e-2])
    wanted = [composed_reference.arc_face(0.4)(q) for q in cosines]
    assert_close(tsc.margins.ArcFace(0.4)(tf.constant(cosines)), wanted, 1e-12)
