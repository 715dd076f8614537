"""Samplers refuse what is no flag, seed, size or array with an error that names the argument."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc


class Nothing:
    """An object of no use, with the same text in every process: workers compare the tests' ids."""

    def __repr__(self):
        return "NOTHING"


NOTHING = Nothing()

R = tsc.random
LABELS = [[3], [7]]
GOOD = {"true_classes": LABELS, "num_true": 1, "num_sampled": 4, "unique": True, "range_max": 8}
WEIGHTS = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
SAMPLERS = {
    R.uniform_candidate_sampler: {},
    R.log_uniform_candidate_sampler: {},
    R.learned_unigram_candidate_sampler: {},
    R.fixed_unigram_candidate_sampler: {"unigrams": WEIGHTS},
    R.all_candidate_sampler: {"num_sampled": 8, "range_max": None},
    R.stateless_uniform_candidate_sampler: {"seed": [1, 2]},
    R.stateless_log_uniform_candidate_sampler: {"seed": [1, 2]},
    R.stateless_learned_unigram_candidate_sampler: {"seed": [1, 2], "counts": WEIGHTS},
    R.stateless_fixed_unigram_candidate_sampler: {"seed": [1, 2], "unigrams": WEIGHTS},
    R.LearnedUnigramSampler(8, seed=1): {},
}
each = pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: getattr(s, "__name__", "object"))


def call(sampler, **options):
    given = {**GOOD, **SAMPLERS[sampler], **options}
    if sampler is R.all_candidate_sampler:
        given.pop("range_max")
    return sampler(**given)


def refused(function, argument, words=""):
    with pytest.raises(ValueError, match=f"^[^:]*{argument}[^:]*: .*{words}"):
        function()


@each
@pytest.mark.parametrize(
    "value", [10**30, 2**63, 1e30, "a", True, [3], None, float("nan"), {}], ids=repr
)
def test_sizes(sampler, value):
    for argument in ("num_true", "num_sampled", "range_max"):
        if argument != "range_max" or sampler is not R.all_candidate_sampler:
            refused(partial(call, sampler, **{argument: value}), argument, "an integer")


@each
@pytest.mark.parametrize("value", ["no", None, 2, [], np.ones(2, bool), NOTHING], ids=repr)
def test_unique(sampler, value):
    refused(partial(call, sampler, unique=value), "unique", "True or False")


@each
def test_unique_as_a_number(sampler):
    for value in (1, np.True_, tf.constant(True)):
        assert len(call(sampler, unique=value)[0]) in (4, 8)


@each
@pytest.mark.parametrize("value", ["a", b"a", 1.5, True, {}, float("inf"), NOTHING], ids=repr)
def test_seeds(sampler, value):
    refused(partial(call, sampler, seed=value), "seed", "integer")


@each
@pytest.mark.parametrize("value", [None, NOTHING, {}, "a", [[1], [1, 2]], 10**30], ids=repr)
def test_true_classes(sampler, value):
    refused(partial(call, sampler, true_classes=value), "true_classes")


@each
@pytest.mark.parametrize("value", [3, b"a", [], NOTHING], ids=repr)
def test_names(sampler, value):
    refused(partial(call, sampler, name=value), "name", "a string or None")


@pytest.mark.parametrize(
    "argument", ["true_classes", "sampled_candidates", "num_true", "name", "seed"]
)
def test_accidental_hits(argument):
    good = {"true_classes": LABELS, "sampled_candidates": [1, 3], "num_true": 1}
    refused(partial(tsc.nn.compute_accidental_hits, **{**good, argument: {}}), argument)


FIXED = [R.fixed_unigram_candidate_sampler, R.stateless_fixed_unigram_candidate_sampler]
CHANGES = [
    ("unigrams", "a"), ("unigrams", [[1.0]]), ("unigrams", [1.0, "a"]), ("unigrams", [[1], [1, 2]]),
    ("unigrams", 3.0), ("unigrams", ["1"] * 8), ("unigrams", NOTHING),
    ("vocab_file", 3), ("vocab_file", [1]), ("vocab_file", NOTHING),
    ("distortion", "a"), ("distortion", None), ("distortion", 10**400), ("distortion", [1.0]),
    ("num_shards", 0), ("num_shards", 1.5), ("num_shards", 10**30), ("num_shards", None),
    ("shard", -1), ("shard", 1), ("shard", 0.5), ("shard", "a"), ("shard", 10**30),
    ("num_reserved_ids", -1), ("num_reserved_ids", 2**31), ("num_reserved_ids", 9),
    ("num_reserved_ids", 1.5), ("num_reserved_ids", None), ("num_reserved_ids", [1]),
]  # fmt: skip


@pytest.mark.parametrize("sampler", FIXED)
@pytest.mark.parametrize("argument, value", CHANGES)
def test_fixed_weights(sampler, argument, value):
    refused(partial(call, sampler, **{argument: value}), argument)


def test_weights_of_any_type():
    def drawn(weights):
        return tf.function(lambda: call(FIXED[0], seed=1, unigrams=weights)[0])()

    for weights in (np.array(WEIGHTS), np.int32(WEIGHTS), tuple(WEIGHTS), tf.constant(WEIGHTS)):
        np.testing.assert_array_equal(drawn(weights), drawn(WEIGHTS))


@pytest.mark.parametrize(
    "value", ["a", b"a", 1.5, [1.5, 2.0], 10**30, [1, 2, 3], {}, np.uint64(2**63)]
)
def test_the_seed_of_a_learned_sampler(value):
    refused(partial(R.LearnedUnigramSampler, 8, seed=value), "seed", "integer")


@pytest.mark.parametrize("value", ["a", tf.constant("a"), [[1], [1, 2]], NOTHING, [1, 2]], ids=repr)
def test_initial_counts(value):
    refused(partial(R.LearnedUnigramSampler, 8, initial_counts=value), "initial_counts")


@pytest.mark.parametrize(
    "value", ["a", tf.constant("a"), tf.Variable(2.0), [[1], [1, 2]]], ids=repr
)
def test_frequencies(value):
    refused(partial(R.InBatchSampler, value), "frequencies")


@pytest.mark.parametrize(
    "value", [None, 3, [3], [()], [(3, 4)], [(R.uniform_candidate_sampler, "a")]]
)
def test_the_parts_of_a_mixture(value):
    refused(partial(R.MixtureSampler, value), "samplers?")


def parts():
    learned = R.LearnedUnigramSampler(8, seed=1)
    in_batch = R.InBatchSampler(learned)
    return learned, in_batch, R.MixtureSampler([(in_batch, 2), (R.uniform_candidate_sampler, 2)])


def saved(sampler):
    store = {}
    sampler.save_own_variables(store)
    return store


def test_a_saved_state_that_lacks_a_part_is_refused_whole():
    for sampler in parts():
        before, names = saved(sampler), list(saved(sampler))
        for name in names:
            changed = {key: value + 1 for key, value in before.items() if key != name}
            refused(partial(sampler.load_own_variables, changed), "store", f"without .*{name[-4:]}")
        nodes = next(name for name in names if name.endswith("nodes"))
        for bad in (before[nodes][:1, :1], before[nodes].astype(np.float32), None, "a"):
            changed = {**{key: value + 1 for key, value in before.items()}, nodes: bad}
            refused(partial(sampler.load_own_variables, changed), "store")
        for name, value in saved(sampler).items():
            np.testing.assert_array_equal(value, before[name])
        sampler.load_own_variables(before)


@pytest.mark.parametrize("value", [None, 3, "a", []], ids=repr)
def test_a_saved_state_or_config_that_is_none(value):
    for sampler in parts():
        refused(partial(sampler.load_own_variables, value), "store")
        refused(partial(type(sampler).from_config, value), "config")
    for sampler in parts()[1:]:
        refused(partial(type(sampler).from_config, {}), "config", "get_config, which has")


def test_a_state_is_still_copied():
    for sampler in parts():
        for twin in (copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))):
            for name, value in saved(sampler).items():
                np.testing.assert_array_equal(saved(twin)[name], value)


@pytest.mark.parametrize(
    "mask", ["a", np.ones([2, 2, 2]), np.ones([3, 1], bool), NOTHING], ids=repr
)
def test_masks(mask):
    learned = parts()[0]
    refused(partial(learned.learn, LABELS, mask=mask), "mask")
    refused(partial(learned.draw, LABELS, 2, True, mask=mask), "mask")


def test_true_classes_that_make_no_rows():
    for sampler in parts():
        refused(partial(sampler, [[1], [2], [3]], 2, 4, False, 8), "true_classes", "num_true = 2")


@pytest.mark.parametrize("value", ["a", 1.5, True, {}, [1.5, 2.0], NOTHING], ids=repr)
def test_the_seed_of_a_replica(value):
    refused(partial(R.per_replica_seed, value), "seed", "integer")
