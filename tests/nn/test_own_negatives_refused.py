"""Candidates `[B, S]` that do not fit."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.composed_problem import B
from tests.own_negatives_problem import S, own
from tests.problems import assert_close

pytestmark = pytest.mark.no_op_seeds


def call(loss="sampled_softmax_loss", **changes):
    p = own()
    arguments = dict(
        weights=p.weights, biases=p.biases, labels=p.labels, inputs=p.inputs, **p.arguments
    )
    arguments.update(changes)
    return getattr(tsc.nn, loss)(**arguments)


def values(sampled=None, true_count=None, sampled_count=None):
    given, own_values = (sampled, true_count, sampled_count), own()[4:7]
    return tuple(o if g is None else g for g, o in zip(given, own_values))


BAD = {
    "rows": (
        {"sampled_values": values(own().sampled[:3], sampled_count=1.0)},
        r"sampled_candidates: expected shape \[num_sampled\], or \[batch_size, num_sampled\] with "
        r"batch_size = 4, as "
        r"inputs, got \[3 6\]",
    ),
    "columns": (
        {"num_sampled": 5},
        r"sampled_candidates: expected num_sampled = 5 candidates for each row, got 6",
    ),
    "rank": (
        {"sampled_values": values(own().sampled[..., None], sampled_count=1.0)},
        r"sampled_candidates: expected shape \[num_sampled\], or \[batch_size, num_sampled\], got",
    ),
    "sampled count of a batch": (
        {"sampled_values": values(sampled_count=np.ones([B], "f"))},
        r"sampled_expected_count: expected shape \[batch_size, num_sampled\], or one that "
        r"broadcasts to it, got float32 \(4,\)",
    ),
    "true count": (
        {"sampled_values": values(true_count=np.ones([B, S], "f"))},
        r"true_expected_count: expected shape \[batch_size, num_true\]",
    ),
    "count of zero": (
        {"sampled_values": values(sampled_count=np.zeros([B, S], "f"))},
        "sampled_expected_count: expected positive finite counts",
    ),
    "no class": (
        {"sampled_values": values(np.full([B, S], 9))},
        r"sampled_candidates: expected class ids in \[0, 9\), got 9",
    ),
    "negative id": (
        {"sampled_values": values(np.full([B, S], -1))},
        r"sampled_candidates: expected class ids in \[0, 9\), got -1",
    ),
    "tapas": (
        {"loss": "rank_sampled_softmax_loss", "num_resampled": 2},
        r"sampled_candidates: expected shape \[num_sampled\], got int64 \(4, 6\)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, implementation):
    changes, words = BAD[name]
    with pytest.raises(ValueError, match=words):
        call(**changes)


def test_shapes_that_only_the_run_knows(implementation):
    """The same words, from an assertion."""
    spec = tf.TensorSpec([None, None], tf.int64)

    @tf.function(input_signature=[spec], autograph=False)
    def loss(sampled):
        return call(sampled_values=(sampled, own().true_count, np.float32(1)))

    p = own()._replace(sampled_count=np.float32(1))
    expected = call(sampled_values=(p.sampled, p.true_count, p.sampled_count))
    assert_close(loss(p.sampled), expected, 1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="batch_size = 4, as inputs"):
        loss(p.sampled[:3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_sampled = 6 candidates"):
        loss(p.sampled[:, :5])


def test_under_xla_a_bad_id_gives_nan_in_its_row():
    sampled = own().sampled.copy()
    sampled[1, 2] = 9

    @tf.function(jit_compile=True, autograph=False)
    def loss(sampled):
        return call(sampled_values=(sampled, own().true_count, np.float32(1)))

    assert np.isnan(loss(sampled)).tolist() == [False, True, False, False]
    good = loss(own().sampled)
    assert_close(tf.gather(loss(sampled), [0, 2, 3]), tf.gather(good, [0, 2, 3]), 1e-6)


@pytest.mark.parametrize("rows", [1, 3, 8])
def test_xla_refuses_other_rows_that_only_the_run_knows(rows):
    spec = tf.TensorSpec([None, None], tf.int64)

    @tf.function(input_signature=[spec], jit_compile=True, autograph=False)
    def loss(sampled):
        return call(sampled_values=(sampled, own().true_count, np.float32(1)))

    with pytest.raises(tf.errors.InvalidArgumentError):
        loss(np.resize(own().sampled, [rows, S]))
