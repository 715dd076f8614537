"""The in-batch softmax loss against float64 loops: hits, counts, extra candidates, masks."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests import reference
from tests.problems import assert_close

B, K, D, ITEMS = 24, 9, 7, 10
R = np.random.RandomState(0)
QUERIES, CANDIDATES = R.randn(B, D).astype("f"), R.randn(B, D).astype("f")
EXTRA = R.randn(K, D).astype("f")
IDS, EXTRA_IDS = R.randint(0, ITEMS, B), R.randint(0, ITEMS, K)
UPSTREAM = R.randn(B)
SEEN = R.randint(0, 9, ITEMS) + np.eye(ITEMS, dtype=int)[0]  # item 0 has been seen
FREQUENCIES = R.uniform(0.1, 3, ITEMS)
MASK = np.arange(B) % 5 != 2
EXTRA_COUNTS = R.uniform(0.1, 2, B).astype("f"), R.uniform(0.1, 2, K).astype("f")
ALL_IDS = np.concatenate([IDS, EXTRA_IDS])


def chance(frequencies, ids=IDS):
    return (frequencies / frequencies.sum())[ids]


def learner(**options):
    sampler = tsc.random.LearnedUnigramSampler(ITEMS, seed=1, **options)
    sampler.learn(np.repeat(np.arange(ITEMS), SEEN))
    return sampler


EXTRAS = {"extra_candidates": EXTRA, "extra_ids": EXTRA_IDS}
# name: (options, the N expected counts)
CASES = {
    "nothing": ({}, np.ones(B)),
    "probability": (
        {"candidate_sampling_probability": chance(FREQUENCIES).astype("f")},
        chance(FREQUENCIES),
    ),
    "a column": (
        {"candidate_sampling_probability": chance(FREQUENCIES)[:, None]}, chance(FREQUENCIES),
    ),
    "array": ({"frequencies": FREQUENCIES}, chance(FREQUENCIES)),
    "variable": ({"frequencies": tf.Variable(FREQUENCIES)}, chance(FREQUENCIES)),
    "learned": (lambda: {"frequencies": learner()}, chance(SEEN + 1)),
    "temperature": ({"temperature": 0.3}, np.ones(B)),
    "extra": (EXTRAS, np.ones(B + K)),
    "extra, probability": (
        {**EXTRAS, "candidate_sampling_probability": chance(FREQUENCIES, ALL_IDS)},
        chance(FREQUENCIES, ALL_IDS),
    ),
    "extra, array": ({**EXTRAS, "frequencies": FREQUENCIES}, chance(FREQUENCIES, ALL_IDS)),
    "extra, counts": (
        {**EXTRAS, "frequencies": FREQUENCIES, "extra_expected_counts": EXTRA_COUNTS},
        B * chance(FREQUENCIES, ALL_IDS) + np.concatenate(EXTRA_COUNTS),
    ),
    "mask": ({"mask": MASK, "temperature": 2}, np.ones(B)),
    "mask, extra, counts": (
        lambda: {**EXTRAS, "frequencies": learner(), "mask": MASK,
                 "extra_expected_counts": (EXTRA_COUNTS[0][:, None], EXTRA_COUNTS[1])},
        MASK.sum() * chance(SEEN + 1, ALL_IDS) + np.concatenate(EXTRA_COUNTS),
    ),
}  # fmt: skip
each = pytest.mark.parametrize("case", CASES)


def options_of(case):
    options, counts = CASES[case]
    return (options() if callable(options) else dict(options)), counts


def truth(options, counts, ids=IDS, queries=QUERIES, candidates=CANDIDATES):
    extra = "extra_candidates" in options
    rows = np.concatenate([candidates, EXTRA]) if extra else candidates
    ids = np.concatenate([ids, EXTRA_IDS]) if extra else ids
    present = np.concatenate([options.get("mask", np.ones(B, bool)), np.ones(K, bool)])
    temperature = options.get("temperature", 1.0)
    loss, *gradients = reference.in_batch_loss(
        queries, rows, ids, counts, temperature, present, UPSTREAM
    )
    d_queries, d_rows, d_temperature = gradients
    return loss, d_queries, d_rows[:B], d_rows[B:], d_temperature


def loss_and_gradients(options, ids=IDS, dtype="float32", **more):
    """Returns the loss, and its gradients by queries, candidates, extra ones and temperature."""
    temperature = tf.constant(options.get("temperature", 1.0), tf.float32)
    options = dict(options)
    tensors = [tf.constant(x, dtype) for x in (QUERIES, CANDIDATES)]
    extra = options.pop("extra_candidates", None)
    extra = None if extra is None else tf.constant(extra, dtype)
    watched = [*tensors, *([] if extra is None else [extra]), temperature]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = tsc.nn.in_batch_softmax_loss(
            *tensors, ids, extra_candidates=extra, **{**options, "temperature": temperature}, **more
        )
        total = tf.reduce_sum(tf.cast(loss, tf.float64) * UPSTREAM)
    d_queries, d_candidates, *d_extra, d_temperature = tape.gradient(total, watched)
    none = tf.zeros([0, D], dtype)
    return loss, d_queries, d_candidates, d_extra[0] if d_extra else none, d_temperature


MODES = {
    "eager": lambda f: f(),
    "function": lambda f: tf.function(f)(),
    "xla": lambda f: tf.function(f, jit_compile=True)(),
}


@each
@pytest.mark.parametrize("mode", ["eager", "function"])
def test_loss_and_gradients(case, mode, implementation):
    options, counts = options_of(case)
    got = MODES[mode](lambda: loss_and_gradients(options))
    for mine, true in zip(got, truth(options, counts)):
        assert_close(mine, true)


@each
def test_xla(case):
    options, counts = options_of(case)
    got = MODES["xla"](lambda: loss_and_gradients(options))
    for mine, true in zip(got, truth(options, counts)):
        assert_close(mine, true)
    with pytest.raises(RuntimeError, match="XLA"):
        MODES["xla"](lambda: loss_and_gradients(options, implementation="fused"))


@pytest.mark.parametrize("case", ["nothing", "mask, extra, counts"])
@pytest.mark.parametrize("dtype, rtol", [("float64", 1e-12), ("float16", 2e-3), ("bfloat16", 2e-2)])
def test_dtypes(case, dtype, rtol, implementation):
    options, counts = options_of(case)
    got = loss_and_gradients(options, dtype=dtype)
    assert got[0].dtype == got[1].dtype == got[2].dtype == dtype
    rounded = [tf.cast(tf.cast(x, dtype), tf.float64) for x in (QUERIES, CANDIDATES)]
    true = truth(options, counts, queries=rounded[0], candidates=rounded[1])
    for mine, wanted in zip(got[:3], true):
        assert_close(tf.cast(mine, tf.float64), wanted, rtol)


def test_16_bit_queries_are_cooled_in_float32(implementation):
    """40,000 / 0.5 overflows float16."""
    queries, candidates = tf.constant([[4e4]], tf.float16), tf.constant([[1e-3]], tf.float16)
    extra = tf.zeros([1, 1], tf.float16)
    loss = tsc.nn.in_batch_softmax_loss(
        queries, candidates, temperature=0.5, extra_candidates=extra
    )
    assert loss.dtype == tf.float16 and np.isfinite(loss).all()


@pytest.mark.parametrize("remove", [True, False])
def test_every_copy_of_the_own_id_is_a_hit(remove, implementation):
    ids = [5, 5, 5, 2]
    candidates = tf.constant([[1.0], [2.0], [3.0], [4.0]])
    loss = tsc.nn.in_batch_softmax_loss(
        tf.ones([4, 1]), candidates, ids, remove_accidental_hits=remove
    )
    logits = np.arange(1.0, 5.0)
    for i in range(4):
        columns = [i, *(j for j in range(4) if j != i and not (remove and ids[j] == ids[i]))]
        exact = np.log(np.exp(logits[columns]).sum()) - logits[i]
        np.testing.assert_allclose(loss[i], exact, rtol=1e-6)


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_ids_of_other_kinds(mode, implementation):
    strings = np.array([f"item {i}" for i in ALL_IDS])
    big = ALL_IDS + 2**53  # float64 cannot tell them apart
    wanted = loss_and_gradients(EXTRAS)[0]
    for ids in (strings, big, ALL_IDS.astype(np.int32)[:, None]):
        options = {**EXTRAS, "extra_ids": ids[B:]}
        call = functools.partial(loss_and_gradients, options, ids=ids[:B])
        loss = MODES[mode](lambda: call()[0])  # noqa: B023
        assert_close(loss, wanted, 1e-6)
    without = MODES[mode](lambda: loss_and_gradients({}, ids=None)[0])
    assert_close(without, truth({}, np.ones(B), ids=np.arange(B))[0])


def test_unknown_sizes(implementation):
    specs = [tf.TensorSpec([None, None])] * 3 + [tf.TensorSpec([None], tf.int64)] * 2

    @tf.function(input_signature=specs)
    def loss(queries, candidates, extra, ids, extra_ids):
        return tsc.nn.in_batch_softmax_loss(
            queries, candidates, ids, extra_candidates=extra, extra_ids=extra_ids
        )

    got = loss(QUERIES, CANDIDATES, EXTRA, IDS, EXTRA_IDS)
    assert_close(got, truth(EXTRAS, np.ones(B + K))[0])
    assert loss(QUERIES[:1], CANDIDATES[:1], EXTRA[:0], IDS[:1], EXTRA_IDS[:0]).numpy() == [0.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="candidates: expected as many rows"):
        loss(QUERIES, CANDIDATES[:5], EXTRA, IDS[:5], EXTRA_IDS)
    with pytest.raises(tf.errors.InvalidArgumentError, match="candidates: expected the dim"):
        loss(QUERIES, CANDIDATES[:, :5], EXTRA, IDS, EXTRA_IDS)
    with pytest.raises(tf.errors.InvalidArgumentError, match="extra_ids: expected an id for each"):
        loss(QUERIES, CANDIDATES, EXTRA, IDS, EXTRA_IDS[:2])


def test_a_masked_row_may_hold_anything(implementation):
    queries, candidates = QUERIES.copy(), CANDIDATES.copy()
    queries[~MASK], candidates[~MASK] = np.nan, np.inf
    ids = np.where(MASK, IDS, -7)
    sampler = learner()
    with tf.GradientTape() as tape:
        tensors = [tf.constant(queries), tf.constant(candidates)]
        tape.watch(tensors)
        loss = tsc.nn.in_batch_softmax_loss(*tensors, ids, mask=MASK, frequencies=sampler)
        total = tf.reduce_sum(tf.cast(loss, tf.float64) * UPSTREAM)
    gradients = tape.gradient(total, tensors)
    wanted = truth({"mask": MASK}, chance(SEEN + 1))
    for got, true in zip([loss, *gradients], wanted):
        assert_close(got, true)
    learned = np.bincount(IDS[MASK], minlength=ITEMS)
    np.testing.assert_array_equal(sampler.counts(), 1 + SEEN + learned)
    none = tsc.nn.in_batch_softmax_loss(queries, candidates, ids, mask=np.zeros(B, bool))
    np.testing.assert_array_equal(none, np.zeros(B))


@pytest.mark.parametrize("mode", MODES)
def test_a_learned_sampler_is_read_before_it_learns(mode):
    sampler = learner()
    for step in range(3):
        counts = SEEN + 1 + step * np.bincount(IDS, minlength=ITEMS)
        np.testing.assert_array_equal(sampler.counts(), counts)
        loss = MODES[mode](lambda: loss_and_gradients({"frequencies": sampler})[0])
        assert_close(loss, truth({}, chance(counts))[0])


def test_a_factor_of_all_counts_changes_nothing(implementation):
    one, other = (
        loss_and_gradients({**EXTRAS, "frequencies": FREQUENCIES * factor})[0]
        for factor in (1, 1000)
    )
    assert_close(one, other, 1e-6)


def test_second_order(implementation):
    def second(**options):
        queries = tf.constant(QUERIES, tf.float64)
        with tf.GradientTape() as outer:
            outer.watch(queries)
            with tf.GradientTape() as inner:
                inner.watch(queries)
                loss = tsc.nn.in_batch_softmax_loss(queries, CANDIDATES, IDS, **options)
            gradient = inner.gradient(loss, queries)
        return outer.gradient(gradient, queries)

    assert_close(second(), second(implementation="composite"), 1e-12)


def test_no_matrix_of_logits_is_made():
    """The C++ op, which computes it on a CPU, gets pairs of hits and no `[B, B]` tensor."""

    @tf.function
    def loss(queries, candidates, ids):
        return tsc.nn.in_batch_softmax_loss(queries, candidates, ids)

    size = 4096
    graph = loss.get_concrete_function(
        tf.TensorSpec([size, 8]), tf.TensorSpec([size, 8]), tf.TensorSpec([size], tf.int64)
    ).graph
    operations = graph.get_operations()
    assert any(op.type == "SampledCompat>SampledLoss" for op in operations)
    shapes = [out.shape for op in operations for out in op.outputs]
    assert not any(shape.rank == 2 and shape[0] == shape[1] == size for shape in shapes)
    assert not any(op.type in ("MatMul", "Equal") for op in operations)


def test_mixed_negatives_give_the_full_softmaxs_gradient():
    """Candidates from the batch and from a uniform sampler, corrected, estimate the full loss."""
    items, r = 30, np.random.RandomState(1)
    table = 0.4 * r.randn(items, D)
    popularity = 1.0 / (1 + np.arange(items))
    popularity /= popularity.sum()
    size, extra = 4000, 4000
    query = np.tile(r.randn(1, D), [size, 1])
    logits = table @ query[0]

    def estimate(own, corrected):
        ids = np.concatenate([[own], r.choice(items, size - 1, p=popularity)])
        drawn = tsc.random.uniform_candidate_sampler(ids[:, None], 1, extra, False, items, seed=3)
        options = {"extra_candidates": table[drawn[0].numpy()], "extra_ids": drawn[0]}
        if corrected:
            options.update(frequencies=popularity, extra_expected_counts=drawn[1:])
        loss = tsc.nn.in_batch_softmax_loss(query, table[ids], ids, **options)[0]
        # A row's own class counts once, beside E times the others: leave it out on both sides.
        expected = size * popularity + extra / items if corrected else np.ones(items)
        own_weight = np.exp(logits[own] - np.log(expected[own]))
        return np.log(np.exp(loss) * own_weight - own_weight)

    for own in (0, 29):
        exact = np.log(np.exp(np.delete(logits, own)).sum())
        assert abs(estimate(own, corrected=True) - exact) < 0.05
        assert abs(estimate(own, corrected=False) - exact) > 1
