"""Bad values of the terms: errors in words, and NaN for the rows under XLA."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem

P = problem(C=9, D=3, B=4, T=2, S=6)
LOSSES = {
    "softmax": tsc.nn.sampled_softmax_loss,
    "nce": tsc.nn.nce_loss,
    "full": tsc.nn.full_softmax_loss,
}


def call(name, **options):
    more = {"num_true": 2} if name == "full" else P.arguments
    return LOSSES[name](P.weights, P.biases, P.labels, P.inputs, **more, **options)


BAD = [
    ({"temperature": 0.0}, "temperature: expected a positive finite number, got 0.0"),
    ({"temperature": -1}, "temperature: expected a positive finite number, got -1"),
    ({"temperature": float("nan")}, "temperature: expected a positive finite number, got nan"),
    ({"temperature": float("inf")}, "temperature: expected a positive finite number, got inf"),
    ({"temperature": "warm"}, "temperature: expected a positive finite number, got 'warm'"),
    ({"temperature": [0.1, 0.2]}, r"temperature: expected a scalar, got float32 \(2,\)"),
    ({"label_smoothing": 1}, r"label_smoothing: expected a number in \[0, 1\), got 1"),
    ({"label_smoothing": -0.1}, r"label_smoothing: expected a number in \[0, 1\), got -0.1"),
    ({"label_smoothing": None}, r"label_smoothing: expected a number in \[0, 1\), got None"),
    ({"label_weights": -np.ones([4, 2])}, "label_weights: expected .*, got"),
    ({"label_weights": np.full([4, 2], np.nan)}, "label_weights: expected .*, got"),
    ({"label_weights": np.ones([4])}, r"label_weights: expected shape .*\(4, 2\), got .*\(4,\)"),
    ({"label_weights": np.ones([2, 4])}, "label_weights: expected shape"),
    ({"label_weights": [["a", "b"]] * 4}, "label_weights: expected"),
]
ONLY_SAMPLED = [
    ({"margin": tsc.margins.ArcFace(0.1)}, "margin: expected normalize=True beside it"),
    ({"margin": 0.1, "normalize": True}, "margin: expected a function of cosines"),
]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("options", "words"), BAD, ids=lambda value: str(value)[:40])
def test_bad_values(name, options, words):
    with pytest.raises(ValueError, match=words):
        call(name, **options)


@pytest.mark.parametrize(("options", "words"), ONLY_SAMPLED, ids=lambda value: str(value)[:40])
def test_bad_margins(options, words):
    with pytest.raises(ValueError, match=words):
        call("softmax", **options)


def test_bad_values_of_one_loss():
    with pytest.raises(ValueError, match="z_loss: expected a number >= 0, got -1"):
        call("softmax", z_loss=-1)
    with pytest.raises(ValueError, match=r"label_weights: expected weights in \[0, 1\], got"):
        call("nce", label_weights=np.full([4, 2], 1.5))
    with pytest.raises(TypeError, match="z_loss"):
        call("nce", z_loss=0.1)
    for m in (-0.1, 4, float("nan")):
        with pytest.raises(ValueError, match="m: expected radians in"):
            tsc.margins.ArcFace(m)
    with pytest.raises(ValueError, match="m: expected a number >= 0, got inf"):
        tsc.margins.CosFace(float("inf"))
    with pytest.raises(TypeError, match="m: expected a number >= 0, got '1'"):
        tsc.margins.CosFace("1")


def test_smoothing_needs_a_sampler_of_all_classes():
    sampler = tsc.random.InBatchSampler(np.ones(9))
    with pytest.raises(ValueError, match="label_smoothing: expected a sampler of all classes"):
        tsc.nn.sampled_softmax_loss(
            P.weights, P.biases, P.labels, P.inputs, 4, 9, 2, sampler=sampler, label_smoothing=0.1
        )


@pytest.mark.parametrize("name", LOSSES)
def test_values_that_only_the_graph_knows(name, implementation):
    @tf.function
    def step(temperature, weights):
        return call(name, temperature=temperature, label_weights=weights)

    good = np.full([4, 2], 0.5, "f")
    assert np.isfinite(step(tf.constant(0.5), good)).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="temperature: expected a positive"):
        step(tf.constant(-1.0), good)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label_weights: expected"):
        step(tf.constant(0.5), -good)


@pytest.mark.parametrize("name", LOSSES)
def test_bad_values_under_xla_are_nan(name):
    @tf.function(jit_compile=True)
    def step(temperature, weights):
        return call(name, temperature=temperature, label_weights=weights)

    weights = np.full([4, 2], 0.5, "f")
    weights[1, 0] = -1
    np.testing.assert_array_equal(np.isnan(step(tf.constant(0.5), weights)), [0, 1, 0, 0])
    for temperature in (0.0, -1.0, float("inf")):
        assert np.isnan(step(tf.constant(temperature), np.full([4, 2], 0.5, "f"))).all()
