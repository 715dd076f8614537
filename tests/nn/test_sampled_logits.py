"""`compute_sampled_logits` has the values of TensorFlow's private function."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.ops import nn_impl

import tf_sampled_compat as tsc
from tests.problems import problem


def both(**options):
    """Ours and TensorFlow's: logits, targets, and the gradients of a function of the logits."""
    p = problem(B=7, T=2)
    results = []
    for function in (tsc.compat.v1.nn.compute_sampled_logits, nn_impl._compute_sampled_logits):

        @tf.function
        def run(function=function):
            watched = [tf.constant(each) for each in (p.weights, p.biases, p.inputs)]
            weights, biases, inputs = watched
            with tf.GradientTape() as tape:
                tape.watch(watched)
                arguments = {**p.arguments, **options}
                logits, targets = function(weights, biases, p.labels, inputs, **arguments)
                total = tf.reduce_sum(tf.sin(tf.maximum(logits, -100.0)))
            gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total, watched)]
            return logits, targets, *gradients

        results.append(run())
    return results


@pytest.mark.parametrize("hits", [False, True])
@pytest.mark.parametrize("subtract_log_q", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_values_and_gradients_are_tensorflows(given, subtract_log_q, hits):
    options = {} if given else {"sampled_values": None, "seed": 3}
    ours, stock = both(subtract_log_q=subtract_log_q, remove_accidental_hits=hits, **options)
    if hits and given:
        assert np.any(stock[0] < -1e38)
    for mine, theirs in zip(ours, stock):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_counts_that_nobody_subtracts_may_be_anything():
    p = problem(B=7)
    values = (p.sampled, np.zeros([7, 1], "f"), np.zeros(10, "f"))
    arguments = {**p.arguments, "sampled_values": values}
    for subtract in (False, True):
        if subtract:
            with pytest.raises(ValueError, match="true_expected_count: expected positive"):
                tsc.compat.v1.nn.compute_sampled_logits(
                    p.weights, p.biases, p.labels, p.inputs, **arguments
                )
        else:
            tsc.compat.v1.nn.compute_sampled_logits(
                p.weights, p.biases, p.labels, p.inputs, subtract_log_q=False, **arguments
            )
