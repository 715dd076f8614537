"""Stateless draws use the words of TensorFlow's own stateless op, and refuse bad arguments."""

import numpy as np
import pytest
import tensorflow as tf


def draws(ops, seed, law="uniform", num_sampled=8, unique=False, range_max=2**53, log2_range=0):
    return ops.sampled_compat_stateless_draws(
        seed=seed, law=law, num_sampled=num_sampled, unique=unique, range_max=range_max,
        log2_range=log2_range,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [[0, 0], [1, 2], [-5, 2**60], [2**63 - 1, -(2**63)]])
@pytest.mark.parametrize("num_sampled", [1, 2, 63, 64, 65, 1001])
def test_uniform_draws_are_the_high_bits_of_tensorflows_words(ops, seed, num_sampled):
    state = tf.raw_ops.StatelessRandomGetKeyCounter(seed=tf.constant(seed, tf.int64))
    words = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[num_sampled], key=state.key, counter=state.counter, alg=1, dtype=tf.uint64
    )
    out = draws(ops, seed, num_sampled=num_sampled)
    assert np.array_equal(out.classes, words.numpy() >> np.uint64(64 - 53))
    assert out.num_tries == num_sampled


def test_first_occurrences_in_their_order(ops):
    many = draws(ops, [3, 4], range_max=40, num_sampled=1000).classes.numpy()
    _, first = np.unique(many, return_index=True)
    first.sort()
    out = draws(ops, [3, 4], range_max=40, num_sampled=40, unique=True)
    assert np.array_equal(out.classes, many[first]) and out.num_tries == first[-1] + 1


@pytest.mark.parametrize(
    "changed, named",
    [
        ({"seed": [1]}, "seed must have shape"),
        ({"range_max": 2**53 + 1}, "range_max"),
        ({"range_max": 7, "unique": True}, "num_sampled must be at most range_max = 7"),
        ({"num_sampled": 0}, "num_sampled"),
        ({"law": "normal"}, "law"),
    ],
)
def test_refusals(ops, changed, named):
    with pytest.raises(tf.errors.InvalidArgumentError, match=named):
        draws(ops, **{"seed": [1, 2], **changed})
