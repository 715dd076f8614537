"""Sizes may be any whole number, as in TensorFlow; others are errors that name them."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem

P = problem(B=2)
WHOLE = [(3.0, 50.0), (np.float64(3), np.array(50)), (np.array(3), 50), (tf.constant(3), 50)]


@pytest.mark.parametrize("num_sampled, num_classes", WHOLE, ids=repr)
@pytest.mark.parametrize("loss", ["nce_loss", "sampled_softmax_loss"])
def test_whole_numbers_of_any_type(loss, num_sampled, num_classes):
    def value(*sizes):
        function = getattr(tsc.nn, loss)
        return tf.function(
            lambda: function(P.weights, P.biases, P.labels, P.inputs, *sizes, seed=1)
        )()

    np.testing.assert_array_equal(value(num_sampled, num_classes), value(3, 50))


@pytest.mark.parametrize("num_sampled, num_classes", WHOLE, ids=repr)
def test_whole_numbers_everywhere(num_sampled, num_classes):
    tapas = tsc.nn.rank_sampled_softmax_loss(
        P.weights, P.biases, P.labels, P.inputs, 8.0, num_sampled, num_classes, num_true=1.0
    )
    assert tapas.shape == [2]
    for sampler in (
        lambda *sizes: tsc.random.stateless_uniform_candidate_sampler([[1]], *sizes, [1, 2]),
        lambda *sizes: tsc.random.log_uniform_candidate_sampler([[1]], *sizes),
    ):
        assert len(sampler(1.0, num_sampled, True, num_classes)[0]) == 3
    _, ids = tsc.nn.full_top_k(P.weights, P.biases, P.inputs, k=num_sampled)
    assert ids.shape == [2, 3]


@pytest.mark.parametrize("bad", [3.5, "3", True, [3], None, float("nan"), float("inf")], ids=repr)
def test_others_are_errors(bad):
    with pytest.raises(TypeError, match="num_sampled: expected an integer, got"):
        tsc.nn.nce_loss(P.weights, P.biases, P.labels, P.inputs, bad, 50)
