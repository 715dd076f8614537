"""TAPAS is the sampled softmax of the candidates that its first pass keeps."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import assert_close, problem
from tests.table_pieces import pieces

KEPT = 6


def tapas(weights, biases, labels, inputs, values, kept, *, temperature=1.0, strategy="div"):
    return tsc.contrib.nn.rank_sampled_softmax_loss(
        weights, biases, labels, inputs, len(values[0]), kept, 50, labels.shape[1], values,
        temperature, False, strategy,
    )  # fmt: skip


def stock(weights, biases, labels, inputs, values, strategy="div"):
    return tf.compat.v1.nn.sampled_softmax_loss(
        weights, biases, labels, inputs, len(values[0]), 50, labels.shape[1], values,
        remove_accidental_hits=False, partition_strategy=strategy,
    )  # fmt: skip


@pytest.mark.parametrize("cut", ["nothing", "weights", "weights and biases"])
@pytest.mark.parametrize("strategy", ["div", "mod"])
def test_it_is_the_sampled_softmax_of_what_it_keeps(strategy, cut, implementation):
    p = problem(T=2)
    logits = p.weights[p.sampled] @ p.inputs.T + p.biases[p.sampled, None]
    scores = np.logaddexp.reduce(logits, axis=1)
    best = np.argsort(-scores)[:KEPT]
    weights = pieces(p.weights, 5, strategy) if "weights" in cut else p.weights
    biases = pieces(p.biases, 5, strategy) if "biases" in cut else p.biases
    arguments = weights, biases, p.labels, p.inputs
    got = tapas(*arguments, (p.sampled, p.true_count, p.sampled_count), KEPT, strategy=strategy)
    kept = p.sampled[best], p.true_count, p.sampled_count[best]
    assert_close(got, stock(*arguments, kept, strategy))


@pytest.mark.parametrize("temperature, kept", [(1.0, 3), (4.4, 3), (4.5, 7), (9.0, 7)])
def test_the_temperature_decides_what_it_keeps(temperature, kept, implementation):
    """One input has logit 8 with class 3, both have 5.6 with class 7.

    exp(8 / t) + 1 falls below 2 exp(5.6 / t) between t = 4.4 and t = 4.5.
    """
    weights, biases = np.zeros([50, 2], "f"), np.zeros(50, "f")
    weights[3], weights[7] = [8, 0], [5.6, 5.6]
    arguments = weights, biases, np.array([[0], [1]]), np.eye(2, dtype="f")
    one = np.ones([2, 1], "f")
    got = tapas(*arguments, ([3, 7], one, [0.5, 0.25]), 1, temperature=tf.constant(temperature))
    assert_close(got, stock(*arguments, ([kept], one, [0.5 if kept == 3 else 0.25])))
