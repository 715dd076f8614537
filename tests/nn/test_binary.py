"""`sampled_binary_crossentropy` against the formula in float64 loops."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import composed_reference
from tests.composed_problem import assert_same, case, got

pytestmark = pytest.mark.no_op_seeds


def naive(p, beta, smoothing=0.0, targets=None):
    def loss(weights, biases, inputs):
        losses = []
        for i, x in enumerate(inputs):
            z = [weights[c] @ x + biases[c] for c in range(len(weights))]
            log_p = lambda c, z=z: -np.logaddexp(0, -z[c])  # noqa: E731
            log_q = lambda c, z=z: -np.logaddexp(0, z[c])  # noqa: E731
            total = 0.0
            for t, c in enumerate(p.labels[i]):
                y = 1.0 if targets is None else targets[i, t]
                y = y * (1 - smoothing) + smoothing / 2
                total -= beta * y * log_p(c) + (1 - y) * log_q(c)
            last = {int(c): s for s, c in enumerate(p.sampled)}
            for s, c in enumerate(p.sampled):
                if int(c) in p.labels[i] and last[int(c)] == s:
                    continue
                total -= smoothing / 2 * log_p(c) + (1 - smoothing / 2) * log_q(c)
            losses.append(total)
        return np.array(losses)

    arrays = [np.asarray(a, np.float64) for a in (p.weights, p.biases, p.inputs)]
    return loss(*arrays), composed_reference.gradients(loss, arrays, p.upstream)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_equals_the_formula(calibration, mode):
    p = case()
    p = p._replace(sampled_count=np.full(6, 0.5, "f"))
    rate = 6 / 8
    beta = rate * (calibration * (1 - 1 / rate) + 1 / rate)
    result = got(tsc.nn.sampled_binary_crossentropy, p, mode=mode, calibration=calibration)
    assert_same(result, naive(p, beta), 1e-7)


def test_targets_and_smoothing(implementation):
    p = case()
    targets = np.random.RandomState(3).uniform(0, 1, p.labels.shape)
    options = {"label_weights": targets, "label_smoothing": 0.2}
    result = got(tsc.nn.sampled_binary_crossentropy, p, **options)
    assert_same(result, naive(p, 1.0, 0.2, targets), 1e-7)


def test_the_default_sampler_is_uniform():
    p = case()
    arguments = p.weights, p.biases, p.labels, p.inputs, 5, 9, 2
    tf.random.set_seed(1)
    drawn = tsc.nn.sampled_binary_crossentropy(*arguments, seed=4, calibration=0.5)
    tf.random.set_seed(1)
    values = tsc.random.uniform_candidate_sampler(p.labels, 2, 5, True, 9, seed=4)
    given = tsc.nn.sampled_binary_crossentropy(*arguments, values, calibration=0.5)
    np.testing.assert_array_equal(drawn, given)


def test_words_for_mistakes():
    p = case()
    call = functools.partial(
        tsc.nn.sampled_binary_crossentropy, p.weights, p.biases, p.labels, p.inputs
    )
    for options, words in (
        ({"calibration": 1.5}, "calibration: expected a number in"),
        ({"label_weights": np.full(p.labels.shape, 1.5)}, r"label_weights: .* in \[0, 1\], got"),
        ({"calibration": -0.5}, "calibration: expected a number >= 0, got -0.5"),
        ({"calibration": 0.5, "sampler": tsc.random.log_uniform_candidate_sampler},
         "sampler: expected a uniform one"),
        ({"calibration": 0.5, "sampled_values": (p.sampled, p.true_count, p.sampled_count)},
         "sampled_expected_count: expected equal counts"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            call(6, 9, 2, **options)
    with pytest.raises(ValueError, match="num_sampled: expected at most num_classes - 1 = 8"):
        call(9, 9, 2, calibration=0.5)
    assert np.isfinite(call(9, 9, 2)).all()

    @tf.function
    def unknown(counts):
        return call(6, 9, 2, calibration=0.5, sampled_values=(p.sampled, p.true_count, counts))

    with pytest.raises(ValueError, match="sampled_expected_count: expected equal counts that are"):
        unknown(tf.fill([6], 0.5))
