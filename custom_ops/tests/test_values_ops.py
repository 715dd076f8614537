"""The ops that check a caller's values: ids are returned, counts become offsets."""

import numpy as np
import pytest
import tensorflow as tf

LABELS = {"argument": "labels", "weights_rows": 50}


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (3, 2)])
def test_class_ids_pass_as_they_are(ops, shape):
    ids = np.random.default_rng(0).integers(0, 50, shape)
    assert np.array_equal(ops.sampled_compat_class_ids(ids, **LABELS), ids)


def test_class_ids_beyond_int32_pass(ops):
    ids = np.array([16777217, 2**31 + 1, 2**40 - 1])
    passed = ops.sampled_compat_class_ids(ids, argument="labels", weights_rows=2**40)
    assert np.array_equal(passed, ids)


@pytest.mark.parametrize("bad", [-1, 50, 2**40])
@pytest.mark.parametrize("position", [0, 3, 6])
def test_class_ids_out_of_range_are_named(ops, bad, position):
    ids = np.zeros(7, np.int64)
    ids[position] = bad
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        ops.sampled_compat_class_ids(ids, **LABELS)
    assert f"labels: expected class ids in [0, 50), got {bad}" in str(error.value)


@pytest.mark.parametrize(
    "attributes, words",
    [
        ({"argument": "labels", "weights_rows": 9}, "labels: expected class ids in [0, 9), got 9"),
        (
            {"argument": "labels", "weights_rows": 12, "biases_rows": 9},
            "labels: expected class ids in [0, 9), as biases have 9 rows, got 9",
        ),
        (
            {"argument": "sampled_candidates", "biases_rows": 9},
            "sampled_values: sampled_candidates: expected class ids in [0, 9), as biases have 9 "
            "rows, got 9",
        ),
        (
            {"argument": "sampled_candidates", "weights_rows": 9, "biases_rows": 9},
            "sampled_values: sampled_candidates: expected class ids in [0, 9), got 9",
        ),
        (
            {"argument": "drawn_candidates", "weights_rows": 9, "num_classes": 20},
            "weights, biases: sampled with num_classes = 20: expected class ids in [0, 9), got 9",
        ),
    ],
)
def test_the_words_for_class_ids(ops, attributes, words):
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        ops.sampled_compat_class_ids([8, 9], **attributes)
    assert words in str(error.value)


def test_class_ids_need_a_limit(ops):
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights_rows or biases_rows"):
        ops.sampled_compat_class_ids([0], argument="labels")


def test_unknown_words_are_refused(ops):
    with pytest.raises(tf.errors.InvalidArgumentError, match="argument"):
        ops.sampled_compat_class_ids([0], argument="label", weights_rows=9)
    with pytest.raises(tf.errors.InvalidArgumentError, match="argument"):
        ops.sampled_compat_log_offset(tf.ones([1]), argument="counts", Tc=tf.float32)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("compute", [tf.float32, tf.float64])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100])
def test_offsets_are_minus_the_logarithms(ops, dtype, compute, size):
    counts = tf.cast(np.random.default_rng(0).lognormal(0, 3, (size, 1)), dtype)
    offsets = ops.sampled_compat_log_offset(
        counts=counts, Tc=compute, argument="true_expected_count"
    )
    assert offsets.shape == (size, 1) and offsets.dtype == compute
    wide = compute == tf.float64 or dtype == "float64"
    exact = -np.log(tf.cast(counts, tf.float64))
    rounding = np.finfo(np.float64 if wide and compute == tf.float64 else np.float32).eps
    np.testing.assert_allclose(offsets, exact, rtol=2 * rounding, atol=2 * rounding)


def test_a_count_smaller_than_float32_goes(ops):
    offsets = ops.sampled_compat_log_offset(
        counts=tf.constant([1e-200], tf.float64), Tc=tf.float32, argument="true_expected_count"
    )
    np.testing.assert_allclose(offsets, [-np.log(1e-200)], rtol=1e-6)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("position", [0, 17, 39])
def test_counts_without_a_logarithm_are_named(ops, bad, dtype, position):
    counts = np.ones(40)
    counts[position] = bad
    words = r"sampled_expected_count: expected positive finite counts \(the loss takes their "
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"{words}logarithm\), got {bad:g}"):
        ops.sampled_compat_log_offset(
            counts=tf.cast(counts, dtype), Tc=tf.float32, argument="sampled_expected_count"
        )
