"""Stateless samplers refuse impossible requests with an error that names the argument."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.samplers import fused_draws, law, pieces

uniform = tsc.random.stateless_uniform_candidate_sampler
log_uniform = tsc.random.stateless_log_uniform_candidate_sampler
learned = tsc.random.stateless_learned_unigram_candidate_sampler
fixed = tsc.random.stateless_fixed_unigram_candidate_sampler
GOOD = {
    "true_classes": [[3], [7]], "num_true": 1, "num_sampled": 4, "unique": True, "range_max": 8,
    "seed": [1, 2],
}  # fmt: skip
WEIGHTS = [1.0, 2.0, 0.0, 4.0, 0.0, 6.0, 0.0, 0.0]
EACH = [
    (uniform, {}),
    (log_uniform, {}),
    (learned, {"counts": np.array(WEIGHTS)}),
    (fixed, {"unigrams": WEIGHTS}),
]
each = pytest.mark.parametrize("sampler, more", EACH)
CHANGES = [
    ({"true_classes": [[3], [8]]}, r"true_classes: expected class ids in \[0, 8\), got 8"),
    ({"true_classes": [[-1], [3]]}, r"true_classes: .*got -1"),
    ({"true_classes": [3, 7]}, r"true_classes: expected shape \[batch_size, 1\]"),
    ({"true_classes": [[3, 7]]}, r"true_classes: expected shape"),
    ({"num_sampled": 9}, "num_sampled: expected at most"),
    ({"num_sampled": 0}, "num_sampled"),
    ({"num_sampled": 2.5}, "num_sampled"),
    ({"num_true": 0}, "num_true"),
    ({"seed": 1}, r"seed: expected two integers, shape \[2\]"),
    ({"seed": [1, 2, 3]}, "seed"),
    ({"seed": [1.0, 2.0]}, "seed"),
    ({"range_max": 2**53 + 1}, "range_max"),
]


@pytest.mark.parametrize("changed, message", CHANGES)
@each
def test_the_argument_is_named(sampler, more, changed, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        sampler(**{**GOOD, **more, **changed})


@each
def test_true_classes_that_only_the_graph_knows(sampler, more):
    @tf.function(input_signature=[tf.TensorSpec(None, tf.int64)])
    def call(true):
        return sampler(**{**GOOD, **more, "true_classes": true})

    assert call(tf.constant([[3]], tf.int64)).true_expected_count.shape == (1, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="true_classes: .* 8"):
        call(tf.constant([[8]], tf.int64))
    with pytest.raises(tf.errors.InvalidArgumentError, match="true_classes: expected shape"):
        call(tf.constant([3], tf.int64))


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"unigrams": WEIGHTS[:7]}, "range_max: expected 7"),
        ({"unigrams": []}, "vocab_file, unigrams: expected one of the two, got neither"),
        ({"vocab_file": "x", "unigrams": [1.0]}, "got both"),
        ({"vocab_file": "/no/such/file"}, "vocab_file: expected a readable CSV"),
        ({"unigrams": [-1.0] + WEIGHTS[1:]}, "unigrams: expected finite weights .* got -1"),
        ({"unigrams": [np.inf] + WEIGHTS[1:]}, "unigrams: expected finite weights"),
        ({"unigrams": [0.0] * 8, "unique": False}, "num_sampled: expected at most 0"),
        ({"unigrams": WEIGHTS, "num_sampled": 5}, "num_sampled: expected at most 4, the classes"),
        ({"unigrams": WEIGHTS, "shard": 2, "num_shards": 2}, "shard: expected"),
    ],
)
def test_fixed_weights(changed, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        fixed(**{**GOOD, **changed})


COUNTS = [
    ({"counts": WEIGHTS[:7]}, r"counts: expected shape \[8\]"),
    ({"counts": [-1.0] + WEIGHTS[1:]}, "counts: expected finite counts .*-1"),
    ({"counts": [np.nan] + WEIGHTS[1:]}, "counts: expected finite counts"),
    ({"counts": [np.inf] + WEIGHTS[1:]}, "counts: expected finite counts"),
    ({"counts": [0] * 8}, "counts: expected at least one that is positive"),
    ({"counts": WEIGHTS, "num_sampled": 5}, "num_sampled: expected at most the positive counts"),
    ({"counts": [True] * 8}, "counts: expected numbers"),
]


@pytest.mark.parametrize("changed, message", COUNTS)
@pytest.mark.parametrize("known", [True, False], ids=["known", "fed"])
def test_counts(changed, message, known):
    counts = tf.constant(changed["counts"])

    @tf.function(input_signature=[tf.TensorSpec(None, counts.dtype)])
    def fed(counts):
        return learned(**{**GOOD, **changed, "counts": counts})

    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        learned(**{**GOOD, **changed}) if known else fed(counts)


def test_xla_says_it_in_the_numbers():
    """A true class out of range has the count NaN. If classes are missing (-1), all counts are."""

    @tf.function(jit_compile=True)
    def call(true, counts):
        return learned(**{**GOOD, "true_classes": true, "counts": counts})

    true = tf.constant([[3], [8], [-1]])
    sampled, true_count, sampled_count = call(true, tf.constant(WEIGHTS))
    assert sorted(sampled.numpy()) == [0, 1, 3, 5] and np.isfinite(sampled_count).all()
    assert np.isnan(true_count).ravel().tolist() == [False, True, True]
    sampled, true_count, sampled_count = call(true, tf.constant([1.0, 2.0] + [0.0] * 6))
    assert sampled.numpy().tolist() == [-1] * 4
    assert np.isnan(sampled_count).all() and np.isnan(true_count).all()


@pytest.mark.parametrize("mode", ["eager", "graph", "composite", "composite graph", "xla"])
def test_a_class_that_does_not_come_ends_after_so_many_draws(mode, monkeypatch):
    monkeypatch.setattr(pieces, "MOST_TRIES", pieces.PIECE)
    arguments = {**GOOD, "num_sampled": 2, "range_max": 2, "true_classes": [[0]]}

    def call():
        return fixed(**arguments, unigrams=[1.0, 1e-8])  # The other class needs 10**8 draws.

    if mode == "xla":
        sampled, _, count = tf.function(call, jit_compile=True)()
        assert sampled.numpy().tolist() == [0, -1] and np.isnan(count).all()
        return
    with tsc.implementation("composite" if "composite" in mode else None):
        with pytest.raises(tf.errors.InvalidArgumentError, match="num_sampled: .* 4194304 draws"):
            (tf.function(call) if "graph" in mode else call)()


# Each needs more than 2**31 - 1 draws, by far.
HOPELESS = {
    "a rare class": (fixed, {"unigrams": [1.0, 1e-30]}, 2, 1),
    "a rare count": (learned, {"counts": [1.0, 1e-30]}, 2, 1),
    "a rare count of integers": (learned, {"counts": [2**60, 1]}, 2, 1),
    "all of many classes": (log_uniform, {}, 2**26, 63725298),
}


@pytest.mark.parametrize("mode", ["eager", "graph", "composite", "composite graph"])
@pytest.mark.parametrize("case", HOPELESS)
def test_a_hopeless_draw_is_refused_before_it_begins(case, mode, monkeypatch):
    sampler, more, num_sampled, possible = HOPELESS[case]
    if "counts" in more and "graph" in mode:
        pytest.skip("only the running graph knows")
    arguments = {**GOOD, "num_sampled": num_sampled, "range_max": num_sampled}
    arguments["true_classes"] = [[0]]
    monkeypatch.setattr(law, "draw_unique", lambda *_, **__: pytest.fail("it drew"))
    monkeypatch.setattr(fused_draws, "_Draw", lambda *_, **__: pytest.fail("it drew"))
    expected = f"num_sampled: expected at most about {possible} distinct classes, which 2147483647"
    with tsc.implementation("composite" if "composite" in mode else None):
        with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
            call = functools.partial(sampler, **{**arguments, **more})
            (tf.function(call) if "graph" in mode else call)()
    with tsc.implementation("composite"):
        with pytest.raises(pytest.fail.Exception, match="it drew"):
            monkeypatch.setattr(pieces, "in_pieces", lambda *_: pytest.fail("it drew"))
            sampler(**{**arguments, **more, "unique": False})


@pytest.mark.parametrize("composite", [False, True])
def test_a_hopeless_draw_by_counts_that_only_the_graph_knows(composite):
    arguments = {**GOOD, "num_sampled": 2, "range_max": 2, "true_classes": [[0]]}
    with tsc.implementation("composite" if composite else None):
        function = tf.function(lambda counts: learned(**arguments, counts=counts))
        assert function(tf.constant([1.0, 1e-3]))[0].numpy().tolist() == [0, 1]
        expected = (
            r"num_sampled: expected at most the distinct classes that 2147483647 draws find, or "
            r"unique=False, got\] \[2, of which about 1"
        )
        with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
            function(tf.constant([1.0, 1e-30]))


def test_xla_ends_a_hopeless_draw_at_once():
    arguments = {**GOOD, "num_sampled": 2, "range_max": 2, "true_classes": [[0]]}
    function = tf.function(lambda counts: learned(**arguments, counts=counts), jit_compile=True)
    assert function(tf.constant([1.0, 1e-3]))[0].numpy().tolist() == [0, 1]
    sampled, true_count, sampled_count = function(tf.constant([1.0, 1e-30]))
    assert sampled.numpy().tolist() == [-1, -1]
    assert np.isnan(true_count).all() and np.isnan(sampled_count).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_sampled: expected at most about"):
        tf.function(lambda: fixed(**arguments, unigrams=[1.0, 1e-30]), jit_compile=True)()


@pytest.mark.parametrize("unique", [True, False])
@each
def test_more_draws_than_anyone_makes(sampler, more, unique):
    sizes = {"num_sampled": 2**31, "range_max": 2**40, "unique": unique}
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_sampled: .*at most 2147483647"):
        sampler(**{**GOOD, **more, **sizes})
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_sampled: .*at most"):
        tsc.random.LearnedUnigramSampler(8)([[3]], 1, 2**31, unique, 8)


def test_weights_are_those_that_tensorflows_kernel_holds(tmp_path):
    """For reserved ids, shards and files: other weights would give other counts."""
    path = tmp_path / "vocabulary.csv"
    path.write_text("".join(f"word{i},{w}\n" for i, w in enumerate([3, 1, 4, 1.5, 9, 2.6, 5])))
    for weights in ({"vocab_file": str(path)}, {"unigrams": [3, 1, 4, 1.5, 9, 2.6, 5]}):
        for layout in (
            {"range_max": 7}, {"range_max": 9, "num_reserved_ids": 2},
            {"range_max": 4, "num_shards": 2}, {"range_max": 3, "num_shards": 2, "shard": 1},
            {"range_max": 5, "num_shards": 2, "num_reserved_ids": 3},
        ):  # fmt: skip
            call = {"true_classes": [list(range(3))], "num_true": 3, "num_sampled": 2,
                    "unique": False, "distortion": 0.5, **layout, **weights}  # fmt: skip
            try:
                want = tf.random.fixed_unigram_candidate_sampler(**call, seed=1)
            except tf.errors.InvalidArgumentError:
                with pytest.raises(tf.errors.InvalidArgumentError, match="range_max"):
                    fixed(**call, seed=[1, 2])
                continue
            got = fixed(**call, seed=[1, 2])
            np.testing.assert_allclose(got.true_expected_count, want.true_expected_count, rtol=1e-6)
