"""Flags, seeds, sizes and tensors of any type: they work as in TensorFlow, or are named errors."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem


class Nothing:
    """An object of no use, with the same text in every process: workers compare the tests' ids."""

    def __repr__(self):
        return "NOTHING"


NOTHING = Nothing()

P = problem(C=50, D=8, B=4)
SAMPLED = (np.array([3, 7, 1, 3, 40]), np.full([4, 1], 0.5), np.full([5], 0.5))
LABELS = np.array([[3], [7], [40], [49]])
GOOD = {"weights": P.weights, "biases": P.biases, "labels": LABELS, "inputs": P.inputs}
TABLES = {key: GOOD[key] for key in ("weights", "biases", "inputs")}
DRAW = {"num_sampled": 5, "num_classes": 50}
LOSSES = {
    "sampled_softmax_loss": DRAW,
    "nce_loss": DRAW,
    "sampled_sparse_softmax_loss": DRAW,
    "rank_sampled_softmax_loss": {**DRAW, "num_resampled": 3},
}
implementations = pytest.mark.usefixtures("implementation")
YES = [True, 1, np.True_, np.array(1), 1.0, tf.constant(True), tf.constant(1)]
NO = [False, 0, np.False_, np.array(False), 0.0, tf.constant(False), tf.constant(0)]
NO_FLAGS = ["no", "", b"", None, [], [True], 2, -1, 0.5, np.ones(2, bool), float("nan"), NOTHING]


def loss_of(loss="nce_loss", **options):
    return getattr(tsc.nn, loss)(**{**GOOD, **LOSSES[loss], **options})


def refused(call, argument, words="", kind=ValueError):
    with pytest.raises(kind, match=f"(?s)^[^:]*{argument}[^:]*: .*{words}") as caught:
        call()
    assert isinstance(caught.value, (ValueError, tf.errors.InvalidArgumentError))


@implementations
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("value, same", [(v, True) for v in YES] + [(v, False) for v in NO])
def test_a_flag(name, value, same):
    """Also in a function, where an eager tensor is a value that is known."""

    def step(flag):
        return loss_of(name, sampled_values=SAMPLED, remove_accidental_hits=flag)

    np.testing.assert_array_equal(step(value), step(same))
    in_function = tf.function(lambda: step(value), autograph=False)()
    np.testing.assert_allclose(in_function, step(same), rtol=1e-6)


def test_a_flag_that_a_function_makes():
    """TensorFlow refuses it, even a constant. We know the value of a constant."""

    def step(flag):
        return loss_of(sampled_values=SAMPLED, remove_accidental_hits=flag)

    got = tf.function(lambda: step(tf.constant(True)), autograph=False)()
    np.testing.assert_allclose(got, step(True), rtol=1e-6)
    traced = tf.function(step, autograph=False).get_concrete_function
    spec = tf.TensorSpec([], tf.bool)
    refused(partial(traced, spec), "remove_accidental_hits", "known while", TypeError)
    with pytest.raises(TypeError):
        tf.function(
            lambda flag: tf.nn.nce_loss(
                **{key: tf.constant(value) for key, value in GOOD.items()},
                **DRAW,
                remove_accidental_hits=flag,
            ),
            autograph=False,
        ).get_concrete_function(spec)


@pytest.mark.parametrize("value", NO_FLAGS, ids=repr)
def test_no_flag(value):
    for name in LOSSES:
        for argument in ("remove_accidental_hits", "exclude_true"):
            refused(partial(loss_of, name, **{argument: value}), argument, "True or", TypeError)
    x = P.inputs
    bad = {"remove_accidental_hits": value}
    refused(partial(tsc.nn.in_batch_softmax_loss, x, x, **bad), *bad, "True or", TypeError)
    logits = tsc.compat.v1.nn.compute_sampled_logits
    for argument in ("remove_accidental_hits", "subtract_log_q"):
        refused(
            partial(logits, **GOOD, **DRAW, **{argument: value}), argument, "True or", TypeError
        )


def test_exclude_true_and_subtract_log_q_as_numbers():
    options = {"sampled_values": SAMPLED, "exclude_true": np.array(1)}
    np.testing.assert_array_equal(loss_of(**options), loss_of(**{**options, "exclude_true": True}))
    logits = tsc.compat.v1.nn.compute_sampled_logits
    for value in (0, 1):
        got, want = (
            logits(**GOOD, **DRAW, sampled_values=SAMPLED, subtract_log_q=flag)[0]
            for flag in (tf.constant(value), bool(value))
        )
        np.testing.assert_array_equal(got, want)


SIZES = [10**30, -(10**30), 2**63, 1e30, "a", b"a", True, [3], None, float("nan"), np.ones(2), {}]


@implementations
@pytest.mark.parametrize("value", SIZES, ids=repr)
@pytest.mark.parametrize("name", LOSSES)
def test_sizes(name, value):
    arguments = ["num_sampled", "num_classes"]
    arguments += [] if name == "sampled_sparse_softmax_loss" else ["num_true"]
    arguments += ["num_resampled"] if "num_resampled" in LOSSES[name] else []
    for argument in arguments:
        refused(partial(loss_of, name, **{argument: value}), argument, "an integer")


@pytest.mark.parametrize(
    "value", ["a", b"a", True, 1.5, [1], {}, float("inf"), np.ones(2)], ids=repr
)
def test_seeds(value):
    for name in LOSSES:
        refused(partial(loss_of, name, seed=value), "seed", "an integer or None", TypeError)


@pytest.mark.parametrize("value", [10**30, -1, 2**63, 3.0, np.int32(5)], ids=repr)
def test_seeds_that_tensorflow_takes(value):
    options = {**{key: tf.constant(array) for key, array in GOOD.items()}, **DRAW, "seed": value}
    np.testing.assert_allclose(
        tf.function(lambda: tsc.nn.sampled_softmax_loss(**options))(),
        tf.function(lambda: tf.nn.sampled_softmax_loss(**options))(),
        rtol=1e-5,
    )


@pytest.mark.parametrize("value", [3, b"a", [], NOTHING], ids=repr)
def test_names(value):
    for name in LOSSES:
        refused(partial(loss_of, name, name=value), "name", "a string or None", TypeError)
    for call in (tsc.nn.full_softmax_loss, tsc.nn.full_sigmoid_loss):
        refused(partial(call, **GOOD, name=value), "name", "a string or None", TypeError)
    refused(partial(tsc.nn.full_top_k, **TABLES, name=value), "name", "a string", TypeError)


TENSORS = [
    None,
    NOTHING,
    {},
    [[1], [1, 2]],
    [1, "a"],
    10**30,
    tf.TensorSpec([2]),
    np.array([None]),
]


@implementations
@pytest.mark.parametrize("value", TENSORS, ids=repr)
def test_what_is_no_tensor(value):
    for argument in GOOD:
        refused(partial(loss_of, **{argument: value}), argument)
        refused(partial(tsc.nn.full_softmax_loss, **{**GOOD, argument: value}), argument)
    for argument in TABLES:
        refused(partial(tsc.nn.full_top_k, **{**TABLES, argument: value}), argument)
    for argument in ("queries", "candidates"):
        good = {"queries": P.inputs, "candidates": P.inputs}
        refused(partial(tsc.nn.in_batch_softmax_loss, **{**good, argument: value}), argument)


@pytest.mark.parametrize("value", [1.5, [1.0, 2.0], np.zeros([2, 2, 2], np.float32)], ids=repr)
def test_inputs_of_another_rank(value):
    refused(partial(tsc.nn.full_top_k, P.weights, P.biases, value), "inputs", r"\[batch_size, ")


@pytest.mark.parametrize("value", [np.ones(2), tf.ragged.constant([[1], [2, 3]]), 3], ids=repr)
def test_sampled_values_that_are_none(value):
    for name in LOSSES:
        refused(partial(loss_of, name, sampled_values=value), "sampled_values")


@pytest.mark.parametrize(
    "value", ["a", tf.constant("a"), tf.Variable(2.0), [[1], [1, 2]], np.ones([2, 2]), NOTHING]
)
def test_frequencies(value):
    x = P.inputs
    options = {"candidate_ids": [0, 1, 2, 3], "frequencies": value}
    refused(partial(tsc.nn.in_batch_softmax_loss, x, x, **options), "frequencies")


def full(function, **options):
    given = TABLES if function == "full_top_k" else GOOD
    return getattr(tsc.nn, function)(**{**given, **options})


FULL = ["full_softmax_loss", "full_sigmoid_loss", "full_top_k"]


@implementations
@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("num_classes", [51, 2**31, 2**62])
def test_more_classes_than_rows(name, num_classes):
    bad = {"num_classes": num_classes}
    words = f"at most the rows of weights, 50, got {num_classes}"
    refused(partial(full, name, **bad), "num_classes", words)
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        tf.function(lambda: full(name, **bad), autograph=False)()


@implementations
@pytest.mark.parametrize("name", FULL)
def test_more_classes_than_rows_that_only_the_graph_knows(name):
    @tf.function(input_signature=[tf.TensorSpec([None, 8]), tf.TensorSpec([], tf.int64)])
    def run(weights, num_classes):
        return full(name, weights=weights, num_classes=num_classes)

    got, want = run(P.weights, 50), full(name)
    np.testing.assert_allclose(tf.nest.flatten(got)[0], tf.nest.flatten(want)[0], rtol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_classes: expected at most"):
        run(P.weights, 51)


@implementations
@pytest.mark.parametrize("name", FULL)
def test_fewer_biases_than_rows(name):
    words = r"biases: expected at least 50 rows, as weights, got 49"
    words += r"|labels: expected class ids in \[0, 49\), as biases have 49 rows"
    with pytest.raises(ValueError, match=words):
        full(name, biases=P.biases[:49])


@pytest.mark.parametrize("name", [*LOSSES, *FULL])
def test_no_dimension_at_all(name):
    """With dim = 0 a logit is its bias, as in TensorFlow, whatever computes it."""
    empty = {"weights": np.zeros([50, 0], np.float32), "inputs": np.zeros([4, 0], np.float32)}
    zero = {"weights": np.zeros([50, 8], np.float32)}
    options = {"sampled_values": SAMPLED} if name in LOSSES else {}
    call = loss_of if name in LOSSES else full
    weights, biases = tf.Variable(empty.pop("weights")), tf.Variable(P.biases)

    def step():
        with tf.GradientTape() as tape:
            values = tf.nest.flatten(call(name, weights=weights, biases=biases, **options, **empty))
        if name == "full_top_k":
            return values
        return [*values, *map(tf.convert_to_tensor, tape.gradient(values[0], [weights, biases]))]

    want = tf.nest.flatten(call(name, **options, **zero))
    gradients = []
    for implementation in ("fused", "composite"):
        for run in (step, tf.function(step)):
            with tsc.implementation(implementation):
                got = run()
            for mine, other in zip(got, want):
                np.testing.assert_allclose(mine, other, rtol=1e-5)
            gradients.append(got[-1])
            assert name == "full_top_k" or got[-2].shape == [50, 0]
    for gradient in gradients[1:]:
        np.testing.assert_allclose(gradient, gradients[0], rtol=1e-5, atol=1e-6)


def test_pieces_of_two_dtypes(implementation):
    pieces = [tf.zeros([4, 2]), tf.zeros([4, 2], tf.float64)]
    with pytest.raises(TypeError, match="weights: expected pieces of one dtype, got float32 and f"):
        tsc.nn.sampled_softmax_loss(pieces, tf.zeros([8]), [[3]], tf.ones([1, 2]), 4, 8)
